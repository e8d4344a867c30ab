import type { SandboxKind } from "../lab/src/index.js";
import type { KindResult, ServiceTimes, Times } from "./results.js";
import type { Series } from "./statistics.js";
import type { Section } from "./table.js";
import type { TargetResult } from "./targets.js";

/** Rows of the table of times, as people read them. */
const timeRows: readonly (readonly [figure: keyof Times, title: string])[] = [
  ["kwokctlReady", "kwokctl create cluster --wait"],
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

/** The tables of a run, one column for each kind of sandbox. */
export function sectionsOf(
  results: readonly KindResult[],
  targets: readonly TargetResult[],
): Section[] {
  return [
    targetSection(targets),
    timeSection(results),
    memorySection(results),
    ...results.flatMap((result) => [stepSection(result), serviceSection(result)]),
  ];
}

function targetSection(targets: readonly TargetResult[]): Section {
  return {
    title: "Ratios and targets",
    rows: [
      ["figure", "sandbox", "measured", "target", "verdict"],
      ...targets.map(({ title, kind, value, unit, limit, aim, met }) => [
        title,
        kind,
        `${value.toFixed(unit === "MB" ? 0 : 2)} ${unit}`,
        limit === null ? "" : `at most ${limit}${aim === null ? "" : `, aim ${aim}`}`,
        verdict(met),
      ]),
    ],
  };
}

function verdict(met: boolean | null): string {
  if (met === null) return "";
  return met ? "hit" : "miss";
}

function timeSection(results: readonly KindResult[]): Section {
  return {
    title: "Times: median and range, in seconds",
    rows: [
      ["since the start of the command", ...results.map(({ kind }) => kind)],
      ...timeRows.map(([figure, title]) => [
        title,
        ...results.map(({ times }) => range(times[figure])),
      ]),
    ],
  };
}

function memorySection(results: readonly KindResult[]): Section {
  const parts = [...new Set(results.flatMap(({ memory }) => memory.parts.map(({ part }) => part)))];
  const sizeOf = (result: KindResult, name: string): string => {
    const part = result.memory.parts.find(({ part }) => part === name);
    if (part === undefined) return "";
    const count = part.processes > 1 ? ` (${part.processes})` : "";
    return `${megabytes(part.sizeBytes)}${count}`;
  };
  const column = (read: (result: KindResult) => string): string[] => results.map(read);
  return {
    title: "Memory with 2 pods Running, in MB",
    rows: [
      ["proportional set size (processes)", ...column(({ kind }) => kind)],
      ...parts.map((part) => [part, ...column((result) => sizeOf(result, part))]),
      ["tmpfs", ...column(({ memory }) => megabytes(memory.tmpfsBytes))],
      ["sandkube in all", ...column(({ memory }) => megabytes(memory.totalBytes))],
      ["kwokctl in all, without a pod", ...column(({ memory }) => megabytes(memory.kwokctlBytes))],
    ],
  };
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

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
