import { createHash, randomBytes } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { getFromNode } from "./harness/http.js";
import { clusterForSuite } from "./harness/suites.js";

describe.each(["g26", "g24"] as const)("kubectl in %s", (kind) => {
  const sandkube = clusterForSuite({ kind });

  beforeAll(async () => {
    await sandkube().apply("commands.yaml");
    await sandkube().untilReady("app=commands");
  });

  it("logs prints what a container wrote", async () => {
    expect(await sandkube().kubectl("logs", "server")).toBe("the server has started\n");
  });

  it("exec passes input, outputs and the exit code through", async () => {
    const script = "cat; echo problem >&2; exit 7";
    const command = ["kubectl", "exec", "-i", "server", "--", "sh", "-c", script];
    const { exitCode, stdout, stderr } = await sandkube().run(command, { stdin: "input" });
    expect({ exitCode, stdout }).toEqual({ exitCode: 7, stdout: "input" });
    expect(stderr).toBe("problem\ncommand terminated with exit code 7\n");
  });

  it("exec gives a terminal, and passes the exit code through it", async () => {
    const inner = 'test -t 0 && test -t 1 && echo "a terminal"; exit 9';
    const command = `sandkube kubectl exec -it server -- sh -c '${inner}'`;
    const onTerminal = ["script", "-qec", command, "/dev/null"];
    const { exitCode, stdout } = await sandkube().sandbox.exec(onTerminal);
    expect(stdout).toContain("a terminal\r\n");
    expect(exitCode).toBe(9);
  });

  it("cp copies files into a container and out of it", async () => {
    const content = randomBytes(300_000);
    const digest = createHash("sha256").update(content).digest("hex");
    await sandkube().sandbox.exec(["sh", "-c", "cat > /tmp/original"], { stdin: content });
    await sandkube().kubectl("cp", "/tmp/original", "server:/tmp/copy");
    expect(await sandkube().inPod("server", "sha256sum /tmp/copy")).toContain(digest);
    await sandkube().kubectl("cp", "server:/tmp/copy", "/tmp/back");
    const { stdout } = await sandkube().sandbox.exec(["sha256sum", "/tmp/back"]);
    expect(stdout).toContain(digest);
  });

  it("port-forward carries HTTP", async () => {
    const forward = sandkube().start(["kubectl", "port-forward", "pod/server", ":8080"]);
    try {
      const address = await forward.output.until(
        "the forwarded port",
        (line) => /^Forwarding from (127\.0\.0\.1:\d+) -> 8080$/.exec(line)?.[1] ?? null,
      );
      for (let request = 0; request < 3; request += 1) {
        const answer = await getFromNode(sandkube().sandbox, `http://${address}/`);
        expect(answer).toBe("a page of the server\n");
      }
    } finally {
      await forward.process.kill("SIGINT");
      await forward.process.exited;
    }
  });

  it("attach joins a container's input and output", async () => {
    const attached = sandkube().start(["kubectl", "attach", "-i", "reader"]);
    try {
      attached.process.stdin.write("first\n");
      const seen = (wanted: string) => (line: string) => (line === wanted ? line : null);
      await attached.output.until("the first line to come back", seen("read: first"));
      attached.process.stdin.write("second\n");
      await attached.output.until("the second line to come back", seen("read: second"));
    } finally {
      await attached.process.kill("SIGINT");
      await attached.process.exited;
    }
    expect(await sandkube().kubectl("logs", "reader")).toBe("read: first\nread: second\n");
  });
});
