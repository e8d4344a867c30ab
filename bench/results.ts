import type { SandboxKind } from "../lab/src/index.js";
import type { PartMemory } from "./memory/read-memory.js";
import type { KwokctlRun } from "./peer/measure-kwokctl.js";
import type { BootEvents } from "./sandkube/boot-events.js";
import type { IdleUse } from "./idle/measure-idle.js";
import type { ControlPlaneRun, NodeRun } from "./sandkube/measure-start.js";
import type { UseRun } from "./sandkube/measure-use.js";
import { median, seriesByName, seriesOf, type Series } from "./statistics.js";

/** What a round measured in one kind of sandbox. */
export interface Round {
  readonly node: NodeRun;
  readonly controlPlane: ControlPlaneRun;
  readonly kwokctl: KwokctlRun;
  readonly use: UseRun;
}

/** Times in milliseconds since the start of the command. */
export interface Times {
  readonly kwokctlReady: Series;
  readonly nodeApiReady: Series;
  readonly nodeReady: Series;
  readonly schedulable: Series;
  readonly dnsReady: Series;
  /** From the node's condition Ready to the first answer of the cluster's DNS. */
  readonly dnsAfterNode: Series;
  readonly up: Series;
  readonly imageLoad: Series;
  /** The end of `up`, and from the Deployment's creation to its pods; without the image's load. */
  readonly podsRunning: Series;
  readonly podsReady: Series;
  readonly controlPlaneApiReady: Series;
  readonly controlPlaneUp: Series;
  /** Of one pod, from the request for its Deployment. */
  readonly podRunning: Series;
  readonly exec: Series;
  readonly kubectl: Series;
  readonly emptyNode: Series;
  readonly help: Series;
  readonly status: Series;
  readonly down: Series;
  /** `up` after `down`. */
  readonly warmUp: Series;
  readonly runcCreate: Series;
  readonly runcDelete: Series;
  readonly adapterCreate: Series;
  readonly adapterDelete: Series;
  /** What the adapter adds to a call of runc, at the more expensive of the two calls. */
  readonly adapterCost: Series;
}

/** Processor time at rest, as shares of one core. */
export interface Idle {
  /** Of the machine, by the whole sandbox with ten pods. */
  readonly sandkube: Series;
  /** The same of kwokctl's control plane, which has no pods. */
  readonly kwokctl: Series;
  /** Medians by part, as the sandbox counts. */
  readonly sandkubeParts: Readonly<Record<string, number>>;
  readonly kwokctlParts: Readonly<Record<string, number>>;
}

export interface ServiceTimes {
  /** As `role/service`. */
  readonly name: string;
  /** Since the start of the command. */
  readonly readyAtMs: Series;
  /** From its own start, which may lie after that of others. */
  readonly elapsedMs: Series;
}

export interface Memory {
  /** Medians. Parts of sandkube, without the processes of the user's pods. */
  readonly parts: readonly PartMemory[];
  readonly tmpfsBytes: number;
  /** Median of the sums of the parts and the tmpfs mounts. */
  readonly totalBytes: number;
  /** All processes that kwokctl leaves running. */
  readonly kwokctlBytes: number;
  /** In use in the whole sandbox, as it says itself; null on the bare kernel. */
  readonly usedBytes: number | null;
  readonly kwokctlUsedBytes: number | null;
  /** Of this machine, by the whole sandbox: gVisor itself and the pods' processes included. */
  readonly hostBytes: number;
  readonly kwokctlHostBytes: number;
}

/** Everything measured in one kind of sandbox. */
export interface KindResult {
  readonly kind: SandboxKind;
  readonly times: Times;
  /** Ends of the steps of `up`, by name, since the start of the command. */
  readonly steps: Readonly<Record<string, Series>>;
  readonly services: readonly ServiceTimes[];
  readonly memory: Memory;
  readonly idle: Idle;
}

/** The part whose processes are the user's and do not count as sandkube's. */
const userPart = "pods";

export function kindResult(kind: SandboxKind, rounds: readonly Round[]): KindResult {
  const series = (read: (round: Round) => number): Series => seriesOf(rounds.map(read));
  const boots = rounds.map(({ node }) => node.boot);
  return {
    kind,
    times: {
      kwokctlReady: series(({ kwokctl }) => kwokctl.readyMs),
      nodeApiReady: series(({ node }) => node.apiReadyMs),
      nodeReady: series(({ node }) => node.nodeReadyMs),
      schedulable: series(({ node }) => node.schedulableMs),
      dnsReady: series(({ node }) => node.dnsReadyMs),
      dnsAfterNode: series(({ node }) => node.dnsReadyMs - node.nodeReadyMs),
      up: series(({ node }) => node.upMs),
      imageLoad: series(({ node }) => node.imageLoadMs),
      podsRunning: series(({ node }) => node.upMs + node.podsMs),
      podsReady: series(({ node }) => node.upMs + node.podsReadyMs),
      controlPlaneApiReady: series(({ controlPlane }) => controlPlane.apiReadyMs),
      controlPlaneUp: series(({ controlPlane }) => controlPlane.upMs),
      podRunning: series(({ use }) => use.podMs),
      exec: series(({ use }) => use.execMs),
      kubectl: series(({ use }) => use.kubectlMs),
      emptyNode: series(({ use }) => use.emptyNodeMs),
      help: series(({ use }) => use.helpMs),
      status: series(({ use }) => use.statusMs),
      down: series(({ use }) => use.downMs),
      warmUp: series(({ use }) => use.warmUpMs),
      runcCreate: series(({ use }) => use.runtimeCalls.runc.createMs),
      runcDelete: series(({ use }) => use.runtimeCalls.runc.deleteMs),
      adapterCreate: series(({ use }) => use.runtimeCalls.adapter.createMs),
      adapterDelete: series(({ use }) => use.runtimeCalls.adapter.deleteMs),
      adapterCost: series(
        ({
          use: {
            runtimeCalls: { runc, adapter },
          },
        }) => Math.max(adapter.createMs - runc.createMs, adapter.deleteMs - runc.deleteMs),
      ),
    },
    steps: seriesByName(boots.map(({ steps }) => steps)),
    services: serviceTimes(boots),
    memory: memoryOf(rounds),
    idle: {
      sandkube: series(({ use }) => use.idle.hostShare),
      kwokctl: series(({ kwokctl }) => kwokctl.idle.hostShare),
      sandkubeParts: partShares(rounds.map(({ use }) => use.idle)),
      kwokctlParts: partShares(rounds.map(({ kwokctl }) => kwokctl.idle)),
    },
  };
}

/** Medians of the shares of each part but the user's pods. */
function partShares(uses: readonly IdleUse[]): Record<string, number> {
  const byName = seriesByName(
    uses.map(({ parts }) => Object.fromEntries(parts.map(({ part, share }) => [part, share]))),
  );
  const own = Object.entries(byName).filter(([part]) => part !== userPart);
  return Object.fromEntries(own.map(([part, { median }]) => [part, median]));
}

function serviceTimes(boots: readonly BootEvents[]): ServiceTimes[] {
  const column = (field: "readyAtMs" | "elapsedMs"): Record<string, Series> =>
    seriesByName(
      boots.map(({ services }) =>
        Object.fromEntries(Object.entries(services).map(([name, start]) => [name, start[field]])),
      ),
    );
  const elapsed = column("elapsedMs");
  return Object.entries(column("readyAtMs"))
    .flatMap(([name, readyAtMs]) => {
      const elapsedMs = elapsed[name];
      return elapsedMs === undefined ? [] : [{ name, readyAtMs, elapsedMs }];
    })
    .toSorted((a, b) => a.readyAtMs.median - b.readyAtMs.median);
}

function memoryOf(rounds: readonly Round[]): Memory {
  const sum = (parts: readonly PartMemory[]): number =>
    parts.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  const own = rounds.map(({ node }) => node.memory.filter(({ part }) => part !== userPart));
  const names = new Set(own.flat().map(({ part }) => part));
  return {
    parts: [...names].map((name) => {
      const found = own.flat().filter(({ part }) => part === name);
      return {
        part: name,
        processes: median(found.map(({ processes }) => processes)),
        sizeBytes: median(found.map(({ sizeBytes }) => sizeBytes)),
      };
    }),
    tmpfsBytes: median(rounds.map(({ node }) => node.tmpfsBytes)),
    totalBytes: median(rounds.map(({ node }, index) => sum(own[index] ?? []) + node.tmpfsBytes)),
    kwokctlBytes: median(rounds.map(({ kwokctl }) => sum(kwokctl.memory))),
    usedBytes: medianOfKnown(rounds.map(({ node }) => node.usedBytes)),
    kwokctlUsedBytes: medianOfKnown(rounds.map(({ kwokctl }) => kwokctl.usedBytes)),
    hostBytes: median(rounds.map(({ node }) => node.hostMemoryBytes)),
    kwokctlHostBytes: median(rounds.map(({ kwokctl }) => kwokctl.hostMemoryBytes)),
  };
}

function medianOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}
