import type { SandboxKind } from "../lab/src/index.js";
import { bytesInUse } from "./memory/cluster-memory.js";
import type { KindResult, Times } from "./results.js";

/** A figure that is held against a limit; smaller is better. */
export interface TargetResult {
  readonly id: string;
  readonly title: string;
  readonly kind: SandboxKind;
  readonly value: number;
  readonly unit: "x" | "MB" | "s" | "ms" | "%";
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
  /** Null: for comparison only. */
  readonly limit: number | null;
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

/** Against the same milestone of the same parts as processes of their own, as upstream builds them. */
const apartTargets: readonly (RatioTarget & { readonly divisor: keyof Times })[] = [
  {
    id: "api-ready-apart",
    title: "API ready / separate processes",
    figure: "nodeApiReady",
    divisor: "apartApiReady",
    limit: null,
  },
  {
    id: "node-ready-apart",
    title: "node Ready / separate processes",
    figure: "nodeReady",
    divisor: "apartNodeReady",
    limit: null,
  },
  {
    id: "pods-running-apart",
    title: "2 pods Running / separate processes",
    figure: "podsRunning",
    divisor: "apartPodsRunning",
    limit: null,
  },
];

const targetKind: SandboxKind = "g26";
const dnsLimitSeconds = 2;
const memoryLimit = { limitMB: 550, aimMB: 480 } as const;
const bytesPerMB = 1e6;
/** Of one core, with ten pods. */
const idleLimit = { limitPercent: 10, aimPercent: 5 } as const;

interface DurationTarget {
  readonly id: string;
  readonly title: string;
  readonly figure: keyof Times;
  readonly limitMs: number;
}

const durationTargets: readonly DurationTarget[] = [
  {
    id: "adapter",
    title: "OCI adapter, added to a call of runc",
    figure: "adapterCost",
    limitMs: 10,
  },
  { id: "help", title: "sandkube --help", figure: "help", limitMs: 150 },
  { id: "status", title: "sandkube status", figure: "status", limitMs: 300 },
];

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
    ...apartTargets.map((target) =>
      ratioResult(target, result, result.times[target.divisor].median),
    ),
    ...apartUseResults(result),
    dnsResult(result),
    memoryResult(result),
    idleResult(result),
    ...durationTargets.map((target) => durationResult(target, result)),
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

/** Memory and processor use beside those of the same parts as separate processes. */
function apartUseResults({ kind, memory, idle }: KindResult): TargetResult[] {
  const figures = [
    {
      id: "memory-apart",
      title: "memory in use with 2 pods / separate processes",
      value: bytesInUse(memory.sandkube) / bytesInUse(memory.apart),
    },
    {
      id: "idle-apart",
      title: "idle with 10 pods / separate processes",
      value: idle.sandkube.median / idle.apart.median,
    },
  ];
  return figures.map((figure) => judged({ ...figure, kind, unit: "x", limit: null, aim: null }));
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
    title: "memory in use with 2 pods",
    kind,
    value: bytesInUse(memory.sandkube) / bytesPerMB,
    unit: "MB",
    limit: memoryLimit.limitMB,
    aim: memoryLimit.aimMB,
  });
}

function idleResult({ kind, idle }: KindResult): TargetResult {
  return judged({
    id: "idle",
    title: "idle with 10 pods, of one core of the machine",
    kind,
    value: idle.sandkube.median * 100,
    unit: "%",
    limit: idleLimit.limitPercent,
    aim: idleLimit.aimPercent,
  });
}

function durationResult(
  { id, title, figure, limitMs }: DurationTarget,
  { kind, times }: KindResult,
): TargetResult {
  const value = times[figure].median;
  return judged({ id, title, kind, value, unit: "ms", limit: limitMs, aim: null });
}

function judged(result: Omit<TargetResult, "met">): TargetResult {
  if (result.kind !== targetKind) return { ...result, limit: null, aim: null, met: null };
  return { ...result, met: result.limit === null ? null : result.value <= result.limit };
}
