import { describe, expect, it } from "vitest";
import type { SandboxKind } from "../lab/src/index.js";
import { kindResult, type Round } from "./results.js";
import { compareWithTargets } from "./targets.js";

/** A round whose node is Ready after `nodeReadyMs`, and two pods run 2 s after the end of `up`. */
function round(nodeReadyMs: number, kwokctlMs: number): Round {
  const boot = {
    steps: { probe: 400, "api-ready": 2_000, "node-ready": nodeReadyMs },
    services: { "node/kubelet": { readyAtMs: nodeReadyMs - 100, elapsedMs: 900 } },
    kubeconfigPath: "/kubeconfig",
  };
  return {
    kwokctl: {
      readyMs: kwokctlMs,
      memory: [
        { part: "etcd", processes: 1, sizeBytes: 40e6 },
        { part: "kube-apiserver", processes: 1, sizeBytes: 200e6 },
      ],
      usedBytes: 350e6,
      hostMemoryBytes: 400e6,
      idle: { hostShare: 0.08, parts: [{ part: "etcd", share: 0.05 }] },
    },
    node: {
      apiReadyMs: 2_000,
      nodeReadyMs,
      schedulableMs: nodeReadyMs,
      dnsReadyMs: nodeReadyMs + 500,
      upMs: nodeReadyMs,
      imageLoadMs: 700,
      podsMs: 2_000,
      podsReadyMs: 3_000,
      boot,
      nodeSpec: "{}",
      memory: [
        { part: "control-plane", processes: 1, sizeBytes: 250e6 },
        { part: "shims", processes: 2, sizeBytes: 30e6 },
        { part: "pods", processes: 2, sizeBytes: 900e6 },
      ],
      tmpfsBytes: 20e6,
      usedBytes: null,
      hostMemoryBytes: 600e6,
    },
    apart: {
      apiReadyMs: 4_000,
      nodeReadyMs: 8_000,
      startMs: 8_000,
      podsMs: 3_000,
      memory: [
        { part: "kubelet", processes: 1, sizeBytes: 380e6 },
        { part: "pods", processes: 2, sizeBytes: 900e6 },
      ],
      tmpfsBytes: 20e6,
      usedBytes: null,
      hostMemoryBytes: 700e6,
      idle: { hostShare: 0.24, parts: [{ part: "kubelet", share: 0.1 }] },
    },
    controlPlane: { apiReadyMs: 2_500, upMs: 2_600, boot },
    use: {
      idle: {
        hostShare: 0.06,
        parts: [
          { part: "node", share: 0.04 },
          { part: "pods", share: 0.5 },
        ],
      },
      emptyNodeMs: 40,
      helpMs: 100,
      statusMs: 301,
      kubectlMs: 150,
      execMs: 250,
      podMs: 900,
      runtimeCalls: {
        runc: { createMs: 60, deleteMs: 30 },
        adapter: { createMs: 64, deleteMs: 42 },
      },
      downMs: 2_000,
      warmUpMs: 4_000,
    },
  };
}

function targetsOf(kinds: Partial<Record<SandboxKind, Round[]>>) {
  const entries = Object.entries(kinds) as [SandboxKind, Round[]][];
  return compareWithTargets(entries.map(([kind, rounds]) => kindResult(kind, rounds)));
}

describe("compareWithTargets", () => {
  it("divides medians, and says of each whether it is good enough", () => {
    const rounds = [round(5_000, 5_000), round(5_400, 5_000), round(99_000, 4_000)];
    const targets = targetsOf({ g26: rounds });
    const found = (id: string) => targets.find((target) => target.id === id);
    expect(found("node-ready")).toMatchObject({ value: 1.08, limit: 1.1, met: true });
    expect(found("pods-running")).toMatchObject({ value: 1.48, limit: 1.6, met: true });
    expect(found("control-plane")).toMatchObject({ value: 0.5, met: true });
    expect(found("dns")).toMatchObject({ value: 0.5, unit: "s", limit: 2, met: true });
  });

  it("takes a limit itself as met, and anything above as missed", () => {
    const [nodeReady] = targetsOf({ g26: [round(5_500, 5_000)] });
    expect(nodeReady).toMatchObject({ value: 1.1, met: true });
    const [slower] = targetsOf({ g26: [round(5_510, 5_000)] });
    expect(slower).toMatchObject({ met: false });
  });

  it("holds gVisor against the bare kernel when both were measured", () => {
    const targets = targetsOf({ g26: [round(6_000, 5_000)], bare: [round(2_000, 3_000)] });
    const ratios = targets.filter(({ id }) => id.endsWith("-bare"));
    expect(ratios.map(({ kind, value, met }) => ({ kind, value, met }))).toEqual([
      { kind: "g26", value: 3, met: false },
      { kind: "g26", value: 2, met: true },
    ]);
    expect(targetsOf({ g26: [round(6_000, 5_000)] })).toHaveLength(14);
  });

  it("holds idle processor use and commands against limits of their own", () => {
    const targets = targetsOf({ g26: [round(5_000, 5_000)] });
    const found = (id: string) => targets.find((target) => target.id === id);
    expect(found("idle")).toMatchObject({ value: 6, unit: "%", limit: 10, aim: 5, met: true });
    expect(found("help")).toMatchObject({ value: 100, unit: "ms", met: true });
    expect(found("status")).toMatchObject({ value: 301, unit: "ms", met: false });
  });

  it("compares with the same parts as separate processes, without a limit", () => {
    const targets = targetsOf({ g26: [round(5_000, 5_000)] });
    const compared = targets.filter(({ id }) => id.endsWith("-apart"));
    expect(compared.map(({ id, value, limit }) => [id, value, limit])).toEqual([
      ["api-ready-apart", 0.5, null],
      ["node-ready-apart", 0.625, null],
      ["pods-running-apart", expect.closeTo(7 / 11), null],
      ["memory-apart", 0.75, null],
      ["idle-apart", 0.25, null],
    ]);
  });

  it("takes what the adapter adds to the more expensive of two calls", () => {
    const adapter = targetsOf({ g26: [round(5_000, 5_000)] }).find(({ id }) => id === "adapter");
    expect(adapter).toMatchObject({ value: 12, unit: "ms", limit: 10, met: false });
  });

  it("sets limits in the newest gVisor alone", () => {
    const targets = targetsOf({ g24: [round(9_000, 5_000)] });
    expect(targets.map(({ limit, met }) => ({ limit, met }))).toEqual(
      targets.map(() => ({ limit: null, met: null })),
    );
  });

  it("counts tmpfs as memory and the user's pods not", () => {
    const memory = targetsOf({ g26: [round(5_000, 5_000)] }).find(({ id }) => id === "memory");
    expect(memory).toMatchObject({ value: 300, unit: "MB", limit: 550, aim: 480, met: true });
  });

  it("takes what a sandbox says of itself before the sum of its processes", () => {
    const inUse = round(5_000, 5_000);
    const own = { ...inUse, node: { ...inUse.node, usedBytes: 560e6 } };
    const memory = targetsOf({ g26: [own] }).find(({ id }) => id === "memory");
    expect(memory).toMatchObject({ value: 560, met: false });
  });
});
