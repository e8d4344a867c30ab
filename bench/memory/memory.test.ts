import { describe, expect, it } from "vitest";
import { apartPartOf, kwokctlPartOf, sandkubePartOf } from "./parts.js";
import { memoryByPart, parseProcesses } from "./read-memory.js";
import { tmpfsOnlyIn } from "./read-tmpfs.js";
import { usedBytes } from "./read-used.js";

const KiB = 1024;

function smaps(file: string, residentKiB: number, anonymousKiB: number): string {
  return [
    `00400000-00800000 r-xp 00000000 00:01 7 ${file}`.trimEnd(),
    "Size:               4096 kB",
    `Rss:            ${residentKiB} kB`,
    `Pss:            ${residentKiB} kB`,
    `Anonymous:      ${anonymousKiB} kB`,
    "VmFlags: rd ex mr me ac",
    "",
  ].join("\n");
}

describe("memoryByPart", () => {
  it("takes the kernel's own count where there is a rollup", () => {
    const text = [
      "== process 7 rollup\t/bin/etcd\t--name\tx\t",
      "00400000-7ffd000 ---p 00000000 00:00 0                  [rollup]",
      "Rss:               90 kB",
      "Pss:               60 kB",
      "Pss_Dirty:         50 kB",
      "Anonymous:         40 kB",
      "",
    ].join("\n");
    expect(memoryByPart(parseProcesses(text), kwokctlPartOf)).toEqual([
      { part: "etcd", processes: 1, sizeBytes: 60 * KiB },
    ]);
  });

  it("counts a program that two processes map once, and what is their own in full", () => {
    const program = "/opt/sandkube/programs/sandkube-runtime";
    const text = [
      `== process 2 smaps\t${program}\tcontrol-plane\t--spec\tf\t`,
      smaps(program, 300, 0) + smaps("", 1000, 1000),
      `== process 3 smaps\t${program}\tnode\t`,
      // The same stretch, of which 20 kB have been written to and are this process's own.
      smaps(program, 120, 20) + smaps("", 500, 500),
    ].join("\n");
    const parts = memoryByPart(parseProcesses(text), sandkubePartOf);
    const total = parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    expect(parts.map(({ part }) => part)).toEqual(["control-plane", "node"]);
    expect(total).toBe((300 + 20 + 1000 + 500) * KiB);
    expect(parts[0]?.sizeBytes).toBe((225 + 1000) * KiB);
  });

  it("adds up the processes of a part and leaves out those of none", () => {
    const shim = "/var/lib/sandkube/default/node/bin/containerd-shim-runc-v2";
    const text = [
      `== process 10 smaps\t${shim}\t-id\ta\t`,
      smaps("", 100, 100),
      `== process 11 smaps\t${shim}\t-id\tb\t`,
      smaps("", 50, 50),
      "== process 12 smaps\tps\t-e\t",
      smaps("", 70, 70),
    ].join("\n");
    expect(memoryByPart(parseProcesses(text), sandkubePartOf)).toEqual([
      { part: "shims", processes: 2, sizeBytes: 150 * KiB },
    ]);
  });
});

describe("parts", () => {
  it.each([
    { argv: ["/p/sandkube-supervisor", "run", "--spec", "f"], part: "supervisor" },
    { argv: ["/p/sandkube-supervisor", "node-init"], part: "node-init" },
    { argv: ["/p/sandkube-containerd", "containerd"], part: "containerd" },
    { argv: ["/p/sandkube-network", "run"], part: "network" },
    { argv: ["/pause"], part: "pause" },
    { argv: ["bash", "-c", "sandkube-runtime node"], part: null },
  ])("$argv is $part", ({ argv, part }) => {
    expect(sandkubePartOf(argv)).toBe(part);
  });
});

describe("parts of separate processes", () => {
  it.each([
    { argv: ["/opt/bench/kubernetes/kubelet", "--config=f"], part: "kubelet" },
    { argv: ["/node/bin/containerd-shim-runc-v2", "-id", "a"], part: "shims" },
    { argv: ["/hello"], part: "pods" },
    { argv: ["/opt/bench/apart/apart", "node", "d"], part: null },
  ])("$argv is $part", ({ argv, part }) => {
    expect(apartPartOf(argv)).toBe(part);
  });
});

describe("usedBytes", () => {
  it("is what is not free", () => {
    const text = "MemTotal:       1000 kB\nMemFree:         400 kB\nMemAvailable:    900 kB\n";
    expect(usedBytes(text)).toBe(600 * KiB);
  });

  it("makes up nothing where a field is missing", () => {
    expect(() => usedBytes("MemTotal: 1000 kB\n")).toThrow("MemFree");
  });
});

describe("tmpfsOnlyIn", () => {
  const root = "20 1 0:5 / / rw - overlay none rw";
  const shared = "21 20 0:9 / /dev/shm rw shared:1 - tmpfs tmpfs rw";

  it("finds the node's own, each file system once", () => {
    const snapshots = "30 20 0:40 / /data/my\\040cluster/snapshots rw - tmpfs tmpfs rw,size=1g";
    const again = "31 20 0:40 / /elsewhere rw - tmpfs tmpfs rw,size=1g";
    const bound = "32 20 0:41 /sub /bound rw - tmpfs tmpfs rw";
    const inside = [root, shared, snapshots, again, bound, ""].join("\n");
    expect(tmpfsOnlyIn(inside, [root, shared].join("\n"))).toEqual(["/data/my cluster/snapshots"]);
  });

  it("finds none where the node has none", () => {
    expect(tmpfsOnlyIn([root, shared].join("\n"), [root, shared].join("\n"))).toEqual([]);
  });
});
