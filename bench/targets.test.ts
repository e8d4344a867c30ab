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
      memory: [
        { part: "control-plane", processes: 1, sizeBytes: 250e6 },
        { part: "shims", processes: 2, sizeBytes: 30e6 },
        { part: "pods", processes: 2, sizeBytes: 900e6 },
      ],
      tmpfsBytes: 20e6,
    },
    controlPlane: { apiReadyMs: 2_500, upMs: 2_600, boot },
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
    expect(targetsOf({ g26: [round(6_000, 5_000)] })).toHaveLength(5);
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
});
