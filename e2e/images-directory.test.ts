import { describe, expect, it } from "vitest";
import type { ImageInfo } from "sandkube";
import { odditiesDirectory, testImages } from "./images/test-images.js";
import type { Sandkube } from "./harness/sandkube.js";
import { sandboxForSuite } from "./harness/suites.js";
import { waitUntil } from "./harness/wait-until.js";

const directory = "/var/lib/sandkube/images";
const hello = "sandkube.local/hello:1";

/** The tests are the stages of one cluster's life, in order. */
describe("the images directory", () => {
  const sandkube = sandboxForSuite({ kind: "g26" });

  it("what lies in it is there before the first pod, and what is broken is named", async () => {
    await inside(
      sandkube(),
      `mkdir -p ${directory} && cd ${directory}`,
      `cp ${await archive(sandkube(), "hello.tar")} .`,
      `cp ${await archive(sandkube(), `${odditiesDirectory}/truncated.tar`)} .`,
      "echo none >README.md",
      // No registry listens there.
      "printf '# to pull\\n127.0.0.1:9/app:1\\n' >list.txt",
    );
    const { exitCode, stderr, stdout } = await sandkube().run(["up"]);
    expect(exitCode).toBe(0);
    expect(stderr + stdout).toMatch(/images: truncated\.tar: .* is cut off/);
    expect(await names(sandkube())).toContain(hello);
    await sandkube().kubectl("run", "first", `--image=${hello}`, "--image-pull-policy=Never");
    await sandkube().untilReady("run=first");
    const events = ["get", "events", "-o", "jsonpath={.items[*].reason}"];
    expect(await sandkube().kubectl(...events)).not.toContain("ErrImageNeverPull");
  });

  it("status says what can not be used, and why", async () => {
    await untilStatus(sandkube(), "list.txt: 127.0.0.1:9/app:1 can not be pulled");
    const status = await sandkube().do(["status"]);
    expect(status).toMatch(/Problem of images: truncated\.tar: .* is cut off/);
    expect(status).not.toContain("README.md");
  });

  it("the kubelet keeps what came from it", async () => {
    const record = await sandkube().do(["ctr", "images", "ls", `name==${hello}`]);
    expect(record).toContain("io.cri-containerd.pinned=pinned");
  });

  it("what appears is imported, but not while it is being written", async () => {
    const source = await archive(sandkube(), "busybox.tar");
    await inside(
      sandkube(),
      `cd ${directory} && half=$(($(stat -L -c %s ${source}) / 2))`,
      `head -c $half ${source} >late.tar; sleep 1; tail -c +$((half + 1)) ${source} >>late.tar`,
    );
    await untilImage(sandkube(), "sandkube.local/busybox:1");
    const log = await inside(sandkube(), "cat /var/lib/sandkube/default/logs/node.log");
    expect(log).not.toMatch(/can not be used.*late\.tar/);
  });

  it("a file that is mended is imported, and its problem is over", async () => {
    const index = await archive(sandkube(), `${odditiesDirectory}/odd.tar.gz`);
    await inside(
      sandkube(),
      `cd ${directory} && gunzip -c ${index} >.next && mv .next truncated.tar && rm list.txt`,
    );
    await untilImage(sandkube(), "sandkube.local/odd:1");
    await untilStatus(sandkube(), "Problem of images", { gone: true });
  });

  it("a restart reads again only what the node has lost", async () => {
    await sandkube().kubectl("delete", "pod", "first", "--now");
    await sandkube().do(["image", "rm", "sandkube.local/busybox:1"]);
    await sandkube().do(["down"]);
    await sandkube().do(["up"]);
    await untilImage(sandkube(), "sandkube.local/busybox:1");
    const log = await inside(sandkube(), "cat /var/lib/sandkube/default/logs/node.log");
    const imported = [...log.matchAll(/Imported.*images\/([a-z.]+)/g)].map(([, name]) => name);
    expect(imported.filter((name) => name === "late.tar")).toHaveLength(2);
    expect(imported.filter((name) => name === "hello.tar")).toHaveLength(1);
  });

  it("another one can be named, and it outlives the cluster", async () => {
    const missing = await sandkube().run(["up", "--images-dir", "/nowhere", "--name", "other"]);
    expect(missing).toMatchObject({ stderr: expect.stringContaining("/nowhere is no directory") });
    const unchanged = await sandkube().run(["up", "--images-dir", "/tmp"]);
    expect(unchanged).toMatchObject({ exitCode: 0 });
    expect(unchanged.stderr + unchanged.stdout).toContain(`images directory ${directory}`);
    expect(await sandkube().run(["up", "--name", "images"])).toMatchObject({ exitCode: 10 });
    await sandkube().do(["delete"]);
    expect(await inside(sandkube(), `ls ${directory}`)).toContain("hello.tar");
  });
});

async function archive(sandkube: Sandkube, file: string): Promise<string> {
  const images = await testImages(AbortSignal.timeout(120_000));
  return sandkube.sandbox.pathInside(`${images.directory}/${file}`);
}

/** Runs shell commands in the sandbox, all of which have to succeed, and returns their output. */
async function inside(sandkube: Sandkube, ...commands: string[]): Promise<string> {
  const script = ["set -e", ...commands].join("\n");
  const { exitCode, stdout, stderr } = await sandkube.sandbox.exec(["sh", "-c", script]);
  expect([exitCode, stderr]).toEqual([0, ""]);
  return stdout;
}

async function names(sandkube: Sandkube): Promise<string[]> {
  const images = JSON.parse(await sandkube.do(["image", "list", "--json"])) as ImageInfo[];
  return images.map(({ name }) => name);
}

async function untilImage(sandkube: Sandkube, name: string): Promise<void> {
  await waitUntil({
    for: `the image ${name}`,
    limitMs: 60_000,
    look: async () => {
      const found = await names(sandkube);
      return found.includes(name) ? { found: true } : { instead: found.join(", ") };
    },
  });
}

async function untilStatus(
  sandkube: Sandkube,
  text: string,
  { gone = false }: { gone?: boolean } = {},
): Promise<void> {
  await waitUntil({
    for: `status to say ${gone ? "no more " : ""}"${text}"`,
    limitMs: 60_000,
    look: async () => {
      const status = await sandkube.do(["status"]);
      return status.includes(text) === gone ? { instead: status } : { found: true };
    },
  });
}
