import { describe, expect, it } from "vitest";
import type { ImageInfo } from "sandkube";
import { odditiesDirectory, testImages } from "./images/test-images.js";
import type { Sandkube } from "./harness/sandkube.js";
import { clusterForSuite } from "./harness/suites.js";
import { waitUntil } from "./harness/wait-until.js";

const gibibyte = 1024 ** 3;

/** What each bad archive is refused with: the exit code, and a word of the reason. */
const refusals: readonly [file: string, exitCode: number, reason: string][] = [
  ["truncated.tar", 40, "cut off"],
  ["truncated.tar.gz", 40, "cut off"],
  ["empty.tar", 40, "empty"],
  ["text.tar", 40, "not a tar archive"],
  ["wrong-digest.tar", 40, "damaged"],
  ["no-layer.tar", 40, "is missing"],
  ["wrong-diff-id.tar", 40, "damaged"],
  ["platform.tar", 41, "linux/s390x"],
  ["media-type.tar", 40, "squashfs"],
  ["schema1.tar", 40, "schema 1"],
  ["nameless.tar", 40, "--tag"],
  ["gone.tar", 40, "no such file"],
];

/** The tests of a kind are the stages of one cluster's life, in order. */
describe.each(["g26", "g24", "bare"] as const)("images in %s", (kind) => {
  const sandkube = clusterForSuite({ kind });

  it("loads archives of every form", async () => {
    const path = await oddities(sandkube());
    const { sandbox } = sandkube();
    await sandkube().do(["image", "load", path("layers.tar"), path("odd.tar.gz"), path("index")]);
    const piped = `sandkube image load --json - < ${path("docker.tar")}`;
    const { exitCode, stdout } = await sandbox.exec(["sh", "-c", piped]);
    expect(exitCode).toBe(0);
    expect((JSON.parse(stdout) as ImageInfo[]).map(({ name }) => name)).toEqual([
      "sandkube.local/docker:1",
      "sandkube.local/docker:also",
    ]);
    const images = await list(sandkube());
    expect(images.find(({ name }) => name.endsWith("layers:60"))).toMatchObject({ layers: 60 });
    expect(images.map(({ name }) => name)).toContain("sandkube.local/index:1");
  });

  it("60 layers and every kind of file arrive in pods", async () => {
    await sandkube().apply("oddities.yaml");
    await sandkube().untilReady("app=oddities");
    expect(await sandkube().inPod("layers", "cat /layers/top; ls /layers | wc -l")).toBe(
      "59\n60\n",
    );
    const look = [
      "cd /odd",
      "stat -c '%n %F %a %u:%g %h' . owned hardlink setuid null fifo empty",
      "readlink symlink; readlink dangling",
      "cat symlink added",
      "wc -c < zeros",
      "cat long-name/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/file ünïcödé*",
      "ls -d /doomed 2>/dev/null || ls /emptied",
    ];
    expect((await sandkube().inPod("odd", look.join("; "))).trim().split("\n")).toEqual([
      expect.stringMatching(/^\. directory 2775 1234:5678 /),
      "owned regular file 640 1234:5678 2",
      "hardlink regular file 640 1234:5678 2",
      "setuid regular file 4755 0:0 1",
      "null character special file 666 0:0 1",
      "fifo fifo 644 0:0 1",
      "empty regular empty file 0 0:0 1",
      "/odd/owned",
      "../../../../nowhere",
      "owned",
      "added",
      String(20 * 1024 ** 2),
      "deep",
      "unicode",
      "new",
    ]);
    const images = await list(sandkube());
    expect(images.find(({ name }) => name.endsWith("odd:1"))?.pods).toEqual(["default/odd"]);
  });

  it("a file keeps its capabilities where the sandbox can hold them", async () => {
    const snapshots = await insideNode(sandkube(), "/run/sk/snapshots");
    const script = `cd ${snapshots} && tar --xattrs --xattrs-include='*' -cf - */fs/odd/capable | grep -ac security.capability`;
    const { stdout } = await sandkube().sandbox.exec(["sh", "-c", script]);
    // The tmpfs of gVisor of 2024-07 takes no security.capability, and containerd goes on without it.
    expect(Number(stdout) > 0).toBe(kind !== "g24");
  });

  it("a second load and a second pod unpack nothing", async () => {
    const path = await oddities(sandkube());
    const before = await remains(sandkube());
    await sandkube().do(["image", "load", path("layers.tar")]);
    expect(await remains(sandkube())).toEqual(before);
  });

  it("refuses bad archives with a reason, and keeps nothing of them", async () => {
    const path = await oddities(sandkube());
    const before = await remains(sandkube());
    for (const [file, exitCode, reason] of refusals) {
      const refused = await sandkube().run(["image", "load", path(file)]);
      expect(refused).toMatchObject({ exitCode, stderr: expect.stringContaining(reason) });
    }
    expect(await remains(sandkube())).toEqual(before);
  });

  it("a layer reaches nothing outside of its root", async () => {
    const path = await oddities(sandkube());
    await sandkube().do(["image", "load", path("traversal.tar")]);
    const find = ["find", "/", "-xdev", "-maxdepth", "2", "-name", "escaped-*"];
    expect((await sandkube().sandbox.exec(find)).stdout).toBe("");
    const root = await insideNode(sandkube(), "/");
    const inNode = [
      "sh",
      "-c",
      `ls -d ${root}/escaped-* ${root}/tmp/escaped-* 2>/dev/null | wc -l`,
    ];
    expect((await sandkube().sandbox.exec(inNode)).stdout.trim()).toBe("0");
    await sandkube().do(["image", "rm", "sandkube.local/bad:1"]);
  });

  it("what a killed load had brought in goes with the next command", async () => {
    const path = await oddities(sandkube());
    const before = await remains(sandkube());
    const load = sandkube().start(["image", "load", path("large.tar")]);
    await waitUntil({
      for: "the load to have begun to unpack",
      limitMs: 30_000,
      look: async () => {
        const snapshots = await sandkube().do(["ctr", "snapshots", "ls"]);
        return snapshots.includes("extract-") ? { found: true } : { instead: snapshots };
      },
    });
    const kill = `for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep -q 'images --address' && kill -9 \${p#/proc/}; done; true`;
    await sandkube().sandbox.exec(["sh", "-c", kill]);
    expect(await load.process.exited).toBe(26);
    expect(await remains(sandkube())).not.toEqual(before);
    await waitUntil({
      for: "the unpacking to end and its remains to go",
      limitMs: 30_000,
      look: async () => {
        await sandkube().do(["image", "prune"]);
        const now = await remains(sandkube());
        return JSON.stringify(now) === JSON.stringify(before)
          ? { found: true }
          : { instead: now.join("\n") };
      },
    });
  });

  it("a layer may not become larger than is allowed", async () => {
    const path = await oddities(sandkube());
    const before = await remains(sandkube());
    const limited = ["image", "load", "--unpack-limit", "100MiB", path("large.tar")];
    expect(await sandkube().run(limited)).toMatchObject({
      exitCode: 40,
      stderr: expect.stringMatching(/layer 2 of 2 becomes too large.*\n.*--unpack-limit/s),
    });
    expect(await remains(sandkube())).toEqual(before);
  });

  // Elsewhere snapshots lie on the machine's own disk.
  it.skipIf(kind === "bare")("says how much space is needed when there is too little", async () => {
    const path = await oddities(sandkube());
    const before = await remains(sandkube());
    const snapshots = await insideNode(sandkube(), "/run/sk");
    const free = 100 * 1024 ** 2;
    const fill = `cd ${snapshots} && fallocate -l $(($(stat -f -c '%a*%S' .) - ${free})) fill`;
    expect(await sandkube().sandbox.exec(["sh", "-c", fill])).toMatchObject({ exitCode: 0 });
    const refused = await sandkube().run(["image", "load", path("large.tar")]);
    expect(refused).toMatchObject({
      exitCode: 42,
      stderr: expect.stringContaining("needs 1.0 GiB"),
    });
    expect(await remains(sandkube())).toEqual(before);
    expect(await sandkube().inPod("odd", "cat /odd/symlink")).toBe("owned\n");
    await sandkube().sandbox.exec(["rm", `${snapshots}/fill`]);
    await sandkube().do(["image", "load", path("large.tar")]);
    const large = (await list(sandkube())).find(({ name }) => name.endsWith("large:1"));
    expect(large?.unpackedBytes).toBeGreaterThan(gibibyte);
    await sandkube().do(["image", "rm", "sandkube.local/large:1"]);
  });

  it("makes an archive without a cluster, on the image of another archive", async () => {
    const { sandbox } = sandkube();
    const path = await oddities(sandkube());
    const files = "mkdir -p /tmp/sandkube-files && echo more >/tmp/sandkube-files/more";
    await sandbox.exec(["sh", "-c", files]);
    const recipe = ["/tmp/sandkube-files", "--base", path("docker.tar"), "--name", "nowhere"];
    const output = ["--tag", "sandkube.local/more:1", "-o", "/tmp/sandkube-more.tar"];
    await sandkube().do(["image", "from", ...recipe, ...output]);
    await sandkube().do(["image", "load", "/tmp/sandkube-more.tar"]);
    const more = (await list(sandkube())).find(({ name }) => name === "sandkube.local/more:1");
    expect(more?.layers).toBe(2);
    await sandkube().do(["image", "rm", "sandkube.local/more:1"]);
    await sandbox.exec(["rm", "-r", "/tmp/sandkube-files", "/tmp/sandkube-more.tar"]);
  });

  // The sandbox's own root is a Debian that debootstrap has made.
  it.runIf(kind === "g26")("a Debian root file system becomes an image and a base", async () => {
    const { sandbox } = sandkube();
    const patience = { timeoutMs: 180_000 };
    const root = "/tmp/sandkube-debian";
    const parts =
      "bin sbin lib lib64 etc usr/bin usr/sbin usr/lib64 usr/lib/*-linux-gnu var/lib/dpkg";
    const copy = `mkdir ${root} && cd / && tar -cf - $(ls -d ${parts} 2>/dev/null | sort -u) | tar -xf - -C ${root}`;
    expect(await sandbox.exec(["sh", "-c", copy], patience)).toMatchObject({ exitCode: 0 });
    const tagged = (name: string) => ["--tag", `sandkube.local/${name}`];
    await sandkube().do(["image", "from", root, ...tagged("debian:1")], patience);
    const files =
      "mkdir -p /tmp/sandkube-app && printf '#!/bin/bash\\ndpkg --print-architecture\\nid -un\\nsleep 3600\\n' >/tmp/sandkube-app/app && chmod +x /tmp/sandkube-app/app";
    await sandbox.exec(["sh", "-c", files]);
    const recipe = ["/tmp/sandkube-app", ...tagged("debian-app:1"), "--entrypoint", "/app"];
    await sandkube().do(
      ["image", "from", ...recipe, "--base", "sandkube.local/debian:1"],
      patience,
    );
    const run = ["run", "debian", "--image=sandkube.local/debian-app:1"];
    await sandkube().kubectl(...run, "--image-pull-policy=Never", "--labels=app=debian");
    await sandkube().untilReady("app=debian");
    expect(await sandkube().kubectl("logs", "debian")).toMatch(/^(amd64|arm64)\nroot\n$/);
    await sandkube().kubectl("delete", "pod", "debian", "--now");
    await sandkube().do(["image", "rm", "sandkube.local/debian-app:1", "sandkube.local/debian:1"]);
    await sandbox.exec(["rm", "-r", root, "/tmp/sandkube-app"]);
  });

  it("makes an image of a directory, which runs and can be saved, removed and loaded again", async () => {
    const { sandbox } = sandkube();
    const files =
      "mkdir -p /tmp/sandkube-site && echo made >/tmp/sandkube-site/page && ln -f /tmp/sandkube-site/page /tmp/sandkube-site/link";
    await sandbox.exec(["sh", "-c", files]);
    const recipe = [
      ...[
        "image",
        "from",
        "/tmp/sandkube-site",
        "--tag",
        "sandkube.local/made:1",
        "--base",
        "sandkube.local/docker:1",
      ],
      ...[
        "--entrypoint",
        "sh",
        "--cmd=-c",
        "--cmd=cat /page /link; echo $X; id -u; pwd; sleep 3600",
      ],
      ...["--env", "X=variable", "--user", "1000:1000", "--workdir", "/tmp", "--json"],
    ];
    const made = JSON.parse(await sandkube().do(recipe)) as ImageInfo;
    expect(JSON.parse(await sandkube().do(recipe))).toEqual(made);
    const run = ["run", "made", "--image=sandkube.local/made:1", "--image-pull-policy=Never"];
    await sandkube().kubectl(...run, "--labels=app=made");
    await sandkube().untilReady("app=made");
    expect(await sandkube().kubectl("logs", "made")).toBe("made\nmade\nvariable\n1000\n/tmp\n");

    const used = await sandkube().run(["image", "rm", "sandkube.local/made:1"]);
    expect(used).toMatchObject({ exitCode: 44, stderr: expect.stringContaining("default/made") });
    await sandkube().do(["image", "tag", "sandkube.local/made:1", "sandkube.local/made:2"]);
    await sandkube().do(["image", "rm", "sandkube.local/made:1"]);
    const save = "sandkube image save -o - sandkube.local/made:2 > /tmp/sandkube-made.tar";
    expect(await sandbox.exec(["sh", "-c", save])).toMatchObject({ exitCode: 0 });
    await sandkube().do(["image", "rm", "--force", "sandkube.local/made:2"]);
    // What the pod's container needs is there still.
    expect(await sandkube().inPod("made", "cat /page")).toBe("made\n");
    await sandkube().kubectl("delete", "pod", "made", "--now");
    await sandkube().do(["image", "prune", "--all"]);
    const names = (await list(sandkube())).map(({ name }) => name);
    expect(names).toContain("sandkube.local/odd:1");
    expect(names).not.toContain("sandkube.local/docker:1");
    const missing = await sandkube().run(["image", "tag", "sandkube.local/made:2", "x:1"]);
    expect(missing).toMatchObject({ exitCode: 43 });
    await sandkube().do(["image", "load", "/tmp/sandkube-made.tar"]);
    const again = (await list(sandkube())).find(({ name }) => name === "sandkube.local/made:2");
    expect(again?.digest).toBe(made.digest);
    await sandbox.exec(["rm", "-r", "/tmp/sandkube-site", "/tmp/sandkube-made.tar"]);
  });
});

async function list(sandkube: Sandkube): Promise<ImageInfo[]> {
  return JSON.parse(await sandkube.do(["image", "list", "--json"])) as ImageInfo[];
}

/** Where a file of the oddities is, in the sandbox. */
async function oddities(sandkube: Sandkube): Promise<(file: string) => string> {
  const { directory } = await testImages(AbortSignal.timeout(120_000));
  return (file) => sandkube.sandbox.pathInside(`${directory}/${odditiesDirectory}/${file}`);
}

/** A path of the node's mount namespace, as the sandbox sees it. */
async function insideNode(sandkube: Sandkube, path: string): Promise<string> {
  const { pid } = await sandkube.role("containerd");
  return `/proc/${pid}/root${path === "/" ? "" : path}`;
}

/**
 * All that the node has of images: their names, contents, layers, what holds them, and blobs that
 * are being written.
 */
async function remains(sandkube: Sandkube): Promise<string[]> {
  const kinds = [
    ["images", "ls", "-q"],
    ["content", "ls", "-q"],
    ["snapshots", "ls"],
    ["leases", "ls", "-q"],
  ];
  const listings = [];
  for (const kind of kinds) listings.push(await sandkube.do(["ctr", ...kind]));
  const { directory } = await sandkube.status();
  const incoming = `${directory}/node/containerd/root/sandkube.incoming`;
  const unfinished = await sandkube.sandbox.exec(["find", incoming, "-type", "f"]);
  return [...listings, unfinished.stdout];
}
