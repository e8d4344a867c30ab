import type { SandboxKind } from "../lab/src/index.js";
import type { KindResult, Times } from "./results.js";

/** A figure that is held against a limit; smaller is better. */
export interface TargetResult {
  readonly id: string;
  readonly title: string;
  readonly kind: SandboxKind;
  readonly value: number;
  readonly unit: "x" | "MB" | "s";
  /** Null: the figure is for comparison only. */
  readonly limit: number | null;
  /** What would be better than the limit, if there is more to aim at. */
  readonly aim: number | null;
  readonly met: boolean | null;
}

interface RatioTarget {
  readonly id: string;
  readonly title: string;
  readonly figure: keyof Times;
  readonly limit: number;
}

/** Against kwokctl in the same sandbox. The limits hold in the newest gVisor. */
const kwokctlTargets: readonly RatioTarget[] = [
  { id: "node-ready", title: "node Ready / kwokctl", figure: "nodeReady", limit: 1.1 },
  { id: "pods-running", title: "2 pods Running / kwokctl", figure: "podsRunning", limit: 1.6 },
  {
    id: "control-plane",
    title: "--control-plane, API ready / kwokctl",
    figure: "controlPlaneApiReady",
    limit: 0.7,
  },
];

/** Against the same milestone on the bare kernel. */
const bareTargets: readonly RatioTarget[] = [
  { id: "node-ready-bare", title: "node Ready / bare kernel", figure: "nodeReady", limit: 2 },
  {
    id: "pods-running-bare",
    title: "2 pods Running / bare kernel",
    figure: "podsRunning",
    limit: 2,
  },
];

const targetKind: SandboxKind = "g26";
const dnsLimitSeconds = 2;
const memoryLimit = { limitMB: 550, aimMB: 480 } as const;
const bytesPerMB = 1e6;

/** All ratios and sizes of a run, for every kind of sandbox that it measured. */
export function compareWithTargets(results: readonly KindResult[]): TargetResult[] {
  const bare = results.find(({ kind }) => kind === "bare");
  return results.flatMap((result) => [
    ...kwokctlTargets.map((target) =>
      ratioResult(target, result, result.times.kwokctlReady.median),
    ),
    ...(bare === undefined || result === bare
      ? []
      : bareTargets.map((target) => ratioResult(target, result, bare.times[target.figure].median))),
    dnsResult(result),
    memoryResult(result),
  ]);
}

function ratioResult(
  { id, title, figure, limit }: RatioTarget,
  { kind, times }: KindResult,
  divisor: number,
): TargetResult {
  const value = times[figure].median / divisor;
  return judged({ id, title, kind, value, unit: "x", limit, aim: null });
}

function dnsResult({ kind, times }: KindResult): TargetResult {
  return judged({
    id: "dns",
    title: "DNS answers after node Ready",
    kind,
    value: times.dnsAfterNode.median / 1_000,
    unit: "s",
    limit: dnsLimitSeconds,
    aim: null,
  });
}

function memoryResult({ kind, memory }: KindResult): TargetResult {
  return judged({
    id: "memory",
    title: "memory with 2 pods, tmpfs included",
    kind,
    value: memory.totalBytes / bytesPerMB,
    unit: "MB",
    limit: memoryLimit.limitMB,
    aim: memoryLimit.aimMB,
  });
}

function judged(result: Omit<TargetResult, "met">): TargetResult {
  if (result.kind !== targetKind) return { ...result, limit: null, aim: null, met: null };
  return { ...result, met: result.limit === null ? null : result.value <= result.limit };
}
