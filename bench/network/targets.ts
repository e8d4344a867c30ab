import type { SandboxKind } from "../../lab/src/index.js";
import { load } from "./measure-many.js";
import type { NetworkResult } from "./results.js";

/** A figure of the network that is held against a limit. */
export interface NetworkTarget {
  readonly id: string;
  readonly title: string;
  /** How the figure is shown: `x` is a ratio, the empty unit a number of things. */
  readonly unit: "x" | "µs" | "ms" | "s" | "MB" | "";
  readonly bound: "at least" | "at most";
  /** Null: the figure is for comparison only. */
  readonly limit: number | null;
}

export interface NetworkTargetResult extends NetworkTarget {
  readonly kind: SandboxKind;
  readonly value: number;
  readonly met: boolean | null;
}

interface TargetFigure extends NetworkTarget {
  readonly read: (result: NetworkResult) => number;
}

const atLeast = (limit: number | null): Pick<NetworkTarget, "bound" | "limit" | "unit"> => ({
  bound: "at least",
  limit,
  unit: "x",
});
const atMost = (
  limit: number,
  unit: NetworkTarget["unit"],
): Pick<NetworkTarget, "bound" | "limit" | "unit"> => ({ bound: "at most", limit, unit });

/** The limits hold in the newest gVisor. */
const figures: readonly TargetFigure[] = [
  {
    id: "service-requests-16",
    title: "requests/s, 16 connections: Service / direct",
    ...atLeast(0.6),
    read: ({ service }) => service.sixteenConnections.ratio.median,
  },
  {
    id: "service-requests-1",
    title: "requests/s, 1 connection: Service / direct",
    ...atLeast(0.6),
    read: ({ service }) => service.oneConnection.ratio.median,
  },
  {
    id: "service-stream",
    title: "one stream: Service / direct",
    ...atLeast(0.7),
    read: ({ service }) => service.stream.ratio.median,
  },
  {
    id: "service-added-p50",
    title: "p50 that a Service adds, 1 connection",
    ...atMost(150, "µs"),
    read: ({ service }) => service.oneConnection.addedP50Microseconds.median,
  },
  {
    id: "gateway-requests-16",
    title: "requests/s, 16 connections: gateway / from the node",
    ...atLeast(null),
    read: ({ gateway }) => gateway.sixteenConnections.ratio.median,
  },
  {
    id: "gateway-requests-1",
    title: "requests/s, 1 connection: gateway / from the node",
    ...atLeast(null),
    read: ({ gateway }) => gateway.oneConnection.ratio.median,
  },
  {
    id: "gateway-stream",
    title: "one stream: gateway / from the node",
    ...atLeast(null),
    read: ({ gateway }) => gateway.stream.ratio.median,
  },
  {
    id: "dns-p50",
    title: "p50 of a DNS lookup, 1 at once",
    ...atMost(2, "ms"),
    read: ({ oneQuestion }) => oneQuestion.p50Microseconds.median / 1e3,
  },
  {
    id: "memory",
    title: `memory of sandkube-network with ${load.services} Services`,
    ...atMost(60, "MB"),
    read: ({ many }) => many.withServices.proportionalBytes.median / 1e6,
  },
  {
    id: "change",
    title: `slowest change of an endpoint among ${load.services} Services`,
    ...atMost(1, "s"),
    read: ({ many }) => many.changesMs.max / 1e3,
  },
  {
    id: "connections",
    title: `failures with ${load.connections} connections at once`,
    ...atMost(0, ""),
    read: ({ many }) => many.failedConnections,
  },
];

const targetKind: SandboxKind = "g26";

/** All ratios and sizes of a run, for every kind of sandbox that it measured. */
export function networkTargets(results: readonly NetworkResult[]): NetworkTargetResult[] {
  return results.flatMap((result) =>
    figures.map(({ read, ...target }) => judged(target, result.kind, read(result))),
  );
}

function judged(target: NetworkTarget, kind: SandboxKind, value: number): NetworkTargetResult {
  const { bound, limit } = target;
  if (kind !== targetKind || limit === null) {
    return { ...target, kind, value, limit: null, met: null };
  }
  return { ...target, kind, value, met: bound === "at least" ? value >= limit : value <= limit };
}
