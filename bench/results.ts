import type { SandboxKind } from "../lab/src/index.js";
import { clusterMemory, userPart, type ClusterMemory } from "./memory/cluster-memory.js";
import type { ApartRun } from "./peer/measure-apart.js";
import type { KwokctlRun } from "./peer/measure-kwokctl.js";
import type { BootEvents } from "./sandkube/boot-events.js";
import type { IdleUse } from "./idle/measure-idle.js";
import type { ControlPlaneRun, NodeRun } from "./sandkube/measure-start.js";
import type { UseRun } from "./sandkube/measure-use.js";
import { seriesByName, seriesOf, type Series } from "./statistics.js";

/** What a round measured in one kind of sandbox. */
export interface Round {
  readonly node: NodeRun;
  readonly controlPlane: ControlPlaneRun;
  readonly kwokctl: KwokctlRun;
  readonly apart: ApartRun;
  readonly use: UseRun;
}

/** Times in milliseconds since the start of the command. */
export interface Times {
  readonly kwokctlReady: Series;
  /** Of upstream's programs as processes of their own. */
  readonly apartApiReady: Series;
  readonly apartNodeReady: Series;
  readonly apartPodsRunning: Series;
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
  /** Of upstream's programs as processes of their own, with ten pods. */
  readonly apart: Series;
  /** Medians by part, as the sandbox counts. */
  readonly sandkubeParts: Readonly<Record<string, number>>;
  readonly apartParts: Readonly<Record<string, number>>;
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

/** With two pods; of kwokctl without one. */
export interface Memory {
  readonly sandkube: ClusterMemory;
  readonly apart: ClusterMemory;
  readonly kwokctl: ClusterMemory;
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

export function kindResult(kind: SandboxKind, rounds: readonly Round[]): KindResult {
  const series = (read: (round: Round) => number): Series => seriesOf(rounds.map(read));
  const boots = rounds.map(({ node }) => node.boot);
  return {
    kind,
    times: {
      kwokctlReady: series(({ kwokctl }) => kwokctl.readyMs),
      apartApiReady: series(({ apart }) => apart.apiReadyMs),
      apartNodeReady: series(({ apart }) => apart.nodeReadyMs),
      apartPodsRunning: series(({ apart }) => apart.startMs + apart.podsMs),
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
    memory: {
      sandkube: clusterMemory(rounds.map(({ node }) => node)),
      apart: clusterMemory(rounds.map(({ apart }) => apart)),
      kwokctl: clusterMemory(rounds.map(({ kwokctl }) => kwokctl)),
    },
    idle: {
      sandkube: series(({ use }) => use.idle.hostShare),
      kwokctl: series(({ kwokctl }) => kwokctl.idle.hostShare),
      apart: series(({ apart }) => apart.idle.hostShare),
      sandkubeParts: partShares(rounds.map(({ use }) => use.idle)),
      apartParts: partShares(rounds.map(({ apart }) => apart.idle)),
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
