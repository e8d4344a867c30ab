import type { ClusterStatus } from "sandkube";
import { describe, expect, it } from "vitest";
import type { Sandbox } from "../lab/src/index.js";
import { sandboxForSuite } from "./harness/suites.js";
import { tracesOf } from "./harness/traces.js";
import { documentedLines } from "./harness/up-output.js";

const config = `apiVersion: sandkube.dev/v1alpha1
kind: Cluster
name: configured
mode: control-plane
apiPort: 7443
`;

const kindConfig = `kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
name: configured
networking: {apiServerPort: 7444, disableDefaultCNI: true}
`;

const named = ["--name", "configured"];
const own = "/root/.kube/config";

describe("the command line in g26, with a control plane from a configuration", () => {
  const sandkube = sandboxForSuite({ kind: "g26" });

  it("starts what a configuration says, adds it to the user's kubeconfig, and leaves no trace", async () => {
    const { sandbox } = sandkube();
    await writeOwnKubeconfig(sandbox);
    const before = await tracesOf(sandbox);

    await sandkube().do(["up", "--config", "-"], { stdin: config });
    expect(JSON.parse(await sandkube().do(["list", "--json"]))).toMatchObject([
      { name: "configured", status: { state: "running", settings: { apiPort: 7443 } } },
    ]);
    const other = await sandkube().run(["up", "--config", "-", "--json"], { stdin: kindConfig });
    expect(other.exitCode).toBe(21);
    expect(documentedLines(other.stdout)).toContainEqual(
      expect.objectContaining({
        type: "warning",
        message: "networking.disableDefaultCNI has no effect here.",
      }),
    );

    await sandkube().do([...named, "kubeconfig", "merge"]);
    const kubectl = ["kubectl", "--kubeconfig", own, "config", "current-context"];
    expect(await sandkube().do(kubectl)).toBe("sandkube-configured\n");
    const ready = ["kubectl", "--kubeconfig", own, "get", "--raw", "/readyz"];
    expect(await sandkube().do(ready)).toBe("ok");

    await sandkube().do([...named, "delete"]);
    const after = await sandbox.exec(["cat", own]);
    expect(after.stdout).not.toContain("sandkube");
    await writeOwnKubeconfig(sandbox);
    expect(await tracesOf(sandbox)).toEqual(before);
  });

  it.each([
    ["is full", "size=16m", "MiB are free"],
    ["is read-only", "size=1g,ro", "read-only"],
  ])("refuses a data directory that %s, and leaves nothing in it", async (_what, options, says) => {
    const { sandbox } = sandkube();
    await sandbox.exec(["sh", "-c", `mkdir -p /disk; mount -t tmpfs -o ${options} disk /disk`]);
    const { exitCode, stderr } = await sandkube().run(["up", "--data", "/disk/sandkube"]);
    const left = await sandbox.exec(["sh", "-c", "ls -A /disk; umount /disk; rmdir /disk"]);
    expect(stderr).toContain(says);
    expect(exitCode).toBe(23);
    expect(left).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  });

  it("tells each change of the status, and exports logs without secrets", async () => {
    const { sandbox } = sandkube();
    await sandkube().do(["up", "--control-plane"], {
      env: { HTTPS_PROXY: "http://me:swordfish@proxy.example:3128" },
    });
    const { process, output } = sandkube().start(["status", "--watch", "--json"]);
    const untilState = (state: string) =>
      output.until(`the cluster is ${state}`, (line) =>
        (JSON.parse(line) as ClusterStatus).state === state ? state : null,
      );
    await untilState("running");

    const archive = "/root/logs.tar.gz";
    await sandkube().do(["export", "logs", "--output", archive]);
    const list = await sandbox.exec(["tar", "-tzf", archive]);
    for (const name of ["versions.json", "status.json", "node-spec.json", "logs/supervisor.log"]) {
      expect(list.stdout).toContain(`sandkube-default/${name}\n`);
    }
    const all = await sandbox.exec(["tar", "-xzOf", archive]);
    expect(all.stdout).toContain("proxy.example");
    expect(all.stdout).not.toMatch(/swordfish|PRIVATE KEY-----\n|client-key-data: \w/);

    await sandkube().do(["down"]);
    await untilState("stopped");
    await sandkube().do(["delete"]);
    expect(await process.exited).toBe(19);
  });
});

describe("the command line on the bare kernel", () => {
  const sandkube = sandboxForSuite({ kind: "bare" });

  it("refuses a data directory from which nothing can be executed", async () => {
    const script = `disk=$(mktemp -d); mount -t tmpfs -o size=1g,noexec disk "$disk"
sandkube up --data "$disk/data"; code=$?
ls -A "$disk"; umount "$disk"; rmdir "$disk"; exit $code`;
    const { exitCode, stdout, stderr } = await sandkube().sandbox.exec(["sh", "-c", script]);
    expect(stderr).toContain("mounted noexec");
    expect({ exitCode, stdout }).toEqual({ exitCode: 23, stdout: "" });
  });
});

/** A kubeconfig as the user had it, always of the same time, so that traces compare. */
async function writeOwnKubeconfig(sandbox: Sandbox): Promise<void> {
  const script = `mkdir -p /root/.kube; cat > ${own}; touch -d 2026-01-01 ${own}`;
  const stdin = "apiVersion: v1\nkind: Config\ncurrent-context: work\n";
  expect(await sandbox.exec(["sh", "-c", script], { stdin })).toMatchObject({ exitCode: 0 });
}
