import type { SandboxKind } from "../lab/src/index.js";
import type { PartMemory } from "./memory/read-memory.js";
import type { KwokctlRun } from "./peer/measure-kwokctl.js";
import type { BootEvents } from "./sandkube/boot-events.js";
import type { ControlPlaneRun, NodeRun } from "./sandkube/measure-sandkube.js";
import { median, seriesByName, seriesOf, type Series } from "./statistics.js";

/** What a round measured in one kind of sandbox. */
export interface Round {
  readonly node: NodeRun;
  readonly controlPlane: ControlPlaneRun;
  readonly kwokctl: KwokctlRun;
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
}

/** Everything measured in one kind of sandbox. */
export interface KindResult {
  readonly kind: SandboxKind;
  readonly times: Times;
  /** Ends of the steps of `up`, by name, since the start of the command. */
  readonly steps: Readonly<Record<string, Series>>;
  readonly services: readonly ServiceTimes[];
  readonly memory: Memory;
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
    },
    steps: seriesByName(boots.map(({ steps }) => steps)),
    services: serviceTimes(boots),
    memory: memoryOf(rounds),
  };
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
  };
}
