import type { SandboxKind } from "../lab/src/index.js";
import type { ClusterMemory } from "./memory/cluster-memory.js";
import type { KindResult, ServiceTimes, Times } from "./results.js";
import type { Series } from "./statistics.js";
import type { Section } from "./table.js";
import type { TargetResult } from "./targets.js";

/** Rows of the table of times, as people read them. */
const timeRows: readonly (readonly [figure: keyof Times, title: string])[] = [
  ["kwokctlReady", "kwokctl create cluster --wait"],
  ["apartApiReady", "separate processes: API ready"],
  ["apartNodeReady", "separate processes: node Ready"],
  ["apartPodsRunning", "separate processes: 2 pods Running"],
  ["controlPlaneApiReady", "sandkube up --control-plane: API ready"],
  ["controlPlaneUp", "sandkube up --control-plane: returned"],
  ["nodeApiReady", "sandkube up: API ready"],
  ["nodeReady", "sandkube up: node Ready"],
  ["schedulable", "sandkube up: pods can be scheduled"],
  ["dnsReady", "sandkube up: DNS answers"],
  ["up", "sandkube up: returned"],
  ["podsRunning", "2 pods Running"],
  ["podsReady", "2 pods Ready"],
  ["imageLoad", "sandkube image load (not part of the above)"],
];

/** Rows of the table of a cluster in use. */
const useRows: readonly (readonly [figure: keyof Times, title: string])[] = [
  ["podRunning", "1 pod, from its Deployment's creation to Running"],
  ["down", "sandkube down with 11 pods, 1 s of grace"],
  ["warmUp", "sandkube up after it: returned"],
  ["exec", "kubectl exec POD -- true"],
  ["kubectl", "kubectl version --client"],
  ["status", "sandkube status"],
  ["help", "sandkube --help"],
  ["emptyNode", "Node.js that runs nothing"],
  ["adapterCreate", "create a container: OCI adapter and runc"],
  ["runcCreate", "create a container: runc alone"],
  ["adapterDelete", "delete a container: OCI adapter and runc"],
  ["runcDelete", "delete a container: runc alone"],
];

/** The tables of a run, one column for each kind of sandbox. */
export function sectionsOf(
  results: readonly KindResult[],
  targets: readonly TargetResult[],
): Section[] {
  return [
    targetSection(targets),
    timeSection("Times: median and range, in seconds", startHead, timeRows, results),
    timeSection("In use: median and range, in seconds", useHead, useRows, results),
    idleSection(results),
    memorySection(results),
    ...results.flatMap((result) => [stepSection(result), serviceSection(result)]),
  ];
}

const startHead = "since the start of the command";
const useHead = "from start to end";

function targetSection(targets: readonly TargetResult[]): Section {
  return {
    title: "Ratios and targets",
    rows: [
      ["figure", "sandbox", "measured", "target", "verdict"],
      ...targets.map(({ title, kind, value, unit, limit, aim, met }) => [
        title,
        kind,
        `${value.toFixed(decimals[unit])} ${unit}`,
        limit === null ? "" : `at most ${limit}${aim === null ? "" : `, aim ${aim}`}`,
        verdict(met),
      ]),
    ],
  };
}

const decimals: Readonly<Record<TargetResult["unit"], number>> = {
  x: 2,
  s: 2,
  MB: 0,
  ms: 0,
  "%": 1,
};

function verdict(met: boolean | null): string {
  if (met === null) return "";
  return met ? "hit" : "miss";
}

function timeSection(
  title: string,
  head: string,
  rows: typeof timeRows,
  results: readonly KindResult[],
): Section {
  return {
    title,
    rows: [
      [head, ...results.map(({ kind }) => kind)],
      ...rows.map(([figure, title]) => [
        title,
        ...results.map(({ times }) => range(times[figure])),
      ]),
    ],
  };
}

type IdleParts = "sandkubeParts" | "apartParts" | "kwokctlParts";

function idleSection(results: readonly KindResult[]): Section {
  const column = (read: (result: KindResult) => number | undefined): string[] =>
    results.map((result) => {
      const share = read(result);
      return share === undefined ? "" : percent(share);
    });
  const namesIn = (field: IdleParts): string[] => [
    ...new Set(results.flatMap(({ idle }) => Object.keys(idle[field]))),
  ];
  const parts = (field: IdleParts): string[][] =>
    namesIn(field).map((part) => [part, ...column(({ idle }) => idle[field][part])]);
  return {
    title: "Idle processor use, in % of one core",
    rows: [
      ["by", ...results.map(({ kind }) => kind)],
      ["sandkube with 10 pods, of the machine", ...column(({ idle }) => idle.sandkube.median)],
      [
        "separate processes with 10 pods, of the machine",
        ...column(({ idle }) => idle.apart.median),
      ],
      ["kwokctl without a pod, of the machine", ...column(({ idle }) => idle.kwokctl.median)],
      ["as the sandbox counts, of sandkube:", ...results.map(() => "")],
      ...parts("sandkubeParts"),
      ["of separate processes:", ...results.map(() => "")],
      ...parts("apartParts"),
      ["of kwokctl:", ...results.map(() => "")],
      ...parts("kwokctlParts"),
    ],
  };
}

const memoryOwners = [
  ["sandkube", "sandkube"],
  ["apart", "separate processes"],
  ["kwokctl", "kwokctl, without a pod"],
] as const;

function memorySection(results: readonly KindResult[]): Section {
  const kinds = results.map(({ kind }) => kind);
  return {
    title: "Memory with 2 pods Running, in MB",
    rows: [
      ["by", ...kinds],
      ...memoryOwners.flatMap(([owner, title]) =>
        memoryRows(
          title,
          results.map(({ memory }) => memory[owner]),
        ),
      ),
    ],
  };
}

/** Rows of one cluster, a column for each sandbox. */
function memoryRows(title: string, memories: readonly ClusterMemory[]): string[][] {
  const names = [...new Set(memories.flatMap(({ parts }) => parts.map(({ part }) => part)))];
  const sizeOf = ({ parts }: ClusterMemory, name: string): string => {
    const part = parts.find(({ part }) => part === name);
    if (part === undefined) return "";
    const count = part.processes > 1 ? ` (${part.processes})` : "";
    return `${megabytes(part.sizeBytes)}${count}`;
  };
  const row = (name: string, read: (memory: ClusterMemory) => string): string[] => [
    name,
    ...memories.map(read),
  ];
  return [
    row(`${title}: sandbox, in use`, ({ usedBytes }) =>
      usedBytes === null ? "" : megabytes(usedBytes),
    ),
    row(`${title}: sandbox, of the machine`, ({ hostBytes }) => megabytes(hostBytes)),
    row(`${title}: all parts`, ({ totalBytes }) => megabytes(totalBytes)),
    ...names.map((name) => row(name, (memory) => sizeOf(memory, name))),
    ...(memories.some(({ tmpfsBytes }) => tmpfsBytes > 0)
      ? [row("tmpfs", ({ tmpfsBytes }) => megabytes(tmpfsBytes))]
      : []),
  ];
}

function stepSection({ kind, steps }: KindResult): Section {
  const ends = Object.entries(steps).map(([name, { median }]) => ({ name, endMs: median }));
  return {
    title: `Steps of sandkube up in ${nameOf(kind)}, in seconds`,
    rows: [
      ["step", "took", "done at"],
      ...ends.map(({ name, endMs }, index) => [
        name,
        seconds(endMs - (ends[index - 1]?.endMs ?? 0)),
        seconds(endMs),
      ]),
    ],
  };
}

function serviceSection({ kind, services }: KindResult): Section {
  const row = ({ name, elapsedMs, readyAtMs }: ServiceTimes): string[] => [
    name,
    seconds(elapsedMs.median),
    seconds(readyAtMs.median),
  ];
  return {
    title: `Services in ${nameOf(kind)}, in seconds`,
    rows: [["role/service", "from its start", "ready at"], ...services.map(row)],
  };
}

function nameOf(kind: SandboxKind): string {
  return kind === "bare" ? "the bare kernel" : kind;
}

function range({ median, min, max }: Series): string {
  return `${seconds(median)} (${seconds(min)}-${seconds(max)})`;
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(2);
}

function percent(share: number): string {
  return (share * 100).toFixed(1);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
