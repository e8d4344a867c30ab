import type { Series } from "../statistics.js";
import type { Section } from "../table.js";
import { load } from "./measure-many.js";
import { soakMinutes } from "./measure-soak.js";
import type {
  ManyResult,
  NetworkResult,
  PathResult,
  ProcessSeries,
  RateSeries,
  SoakResult,
} from "./results.js";
import type { NetworkTargetResult } from "./targets.js";

/** What a path leads through, as people read it. */
interface PathNames {
  readonly title: string;
  readonly direct: string;
  readonly through: string;
}

const serviceNames: PathNames = {
  title: "Pod to pod, directly and through a Service",
  direct: "direct",
  through: "Service",
};

const gatewayNames: PathNames = {
  title: "To a server of the sandbox, from the node and from a pod through the gateway",
  direct: "node",
  through: "gateway",
};

/** The tables of a run, one column for each kind of sandbox. */
export function networkSections(
  results: readonly NetworkResult[],
  targets: readonly NetworkTargetResult[],
): Section[] {
  return [
    targetSection(targets),
    pathSection(serviceNames, results, ({ service }) => service),
    pathSection(gatewayNames, results, ({ gateway }) => gateway),
    lookupSection(results),
    manySection(results),
    ...(results.some(({ soak }) => soak !== null) ? [soakSection(results)] : []),
  ];
}

function targetSection(targets: readonly NetworkTargetResult[]): Section {
  return {
    title: "Ratios and targets",
    rows: [
      ["figure", "sandbox", "measured", "target", "verdict"],
      ...targets.map(({ title, kind, value, unit, bound, limit, met }) => [
        title,
        kind,
        `${value.toFixed(decimals[unit])} ${unit}`.trimEnd(),
        limit === null ? "" : `${bound} ${limit}`,
        verdict(met),
      ]),
    ],
  };
}

const decimals: Readonly<Record<NetworkTargetResult["unit"], number>> = {
  x: 2,
  µs: 0,
  ms: 2,
  s: 2,
  MB: 0,
  "": 0,
};

function verdict(met: boolean | null): string {
  if (met === null) return "";
  return met ? "hit" : "miss";
}

/** A row for each reading, with a cell for each result. */
type Row<R> = readonly [title: string, read: (result: R) => string];

function section<R>(
  title: string,
  head: string,
  results: readonly (R & Pick<NetworkResult, "kind">)[],
  rows: readonly Row<R>[],
): Section {
  return {
    title,
    rows: [
      [head, ...results.map(({ kind }) => kind)],
      ...rows.map(([title, read]) => [title, ...results.map(read)]),
    ],
  };
}

function pathSection(
  { title, direct, through }: PathNames,
  results: readonly NetworkResult[],
  pathOf: (result: NetworkResult) => PathResult,
): Section {
  const requestRows = (
    name: string,
    connections: "oneConnection" | "sixteenConnections",
  ): Row<NetworkResult>[] => [
    ...rateRows<NetworkResult>(
      `${name}, ${direct}`,
      (result) => pathOf(result)[connections].direct,
    ),
    ...rateRows<NetworkResult>(
      `${name}, ${through}`,
      (result) => pathOf(result)[connections].through,
    ),
    [`${name}: ratio of requests/s`, (result) => ratio(pathOf(result)[connections].ratio)],
    [
      `${name}: added p50, µs`,
      (result) => withRange(pathOf(result)[connections].addedP50Microseconds),
    ],
  ];
  return section(title, "median and range", results, [
    ...requestRows("1 connection", "oneConnection"),
    ...requestRows("16 connections", "sixteenConnections"),
    [`stream, ${direct}: MB/s`, (result) => megabytes(pathOf(result).stream.direct)],
    [`stream, ${through}: MB/s`, (result) => megabytes(pathOf(result).stream.through)],
    ["stream: ratio", (result) => ratio(pathOf(result).stream.ratio)],
  ]);
}

function rateRows<R>(
  name: string,
  seriesOf: (result: R) => RateSeries,
  what = "requests",
): Row<R>[] {
  return [
    [`${name}: ${what}/s`, (result) => withRange(seriesOf(result).perSecond)],
    [
      `${name}: p50 / p99, µs`,
      (result) => {
        const { p50Microseconds, p99Microseconds } = seriesOf(result);
        return `${p50Microseconds.median.toFixed(0)} / ${p99Microseconds.median.toFixed(0)}`;
      },
    ],
  ];
}

function lookupSection(results: readonly NetworkResult[]): Section {
  return section("DNS from a pod", "median and range", results, [
    ...rateRows<NetworkResult>("1 question", ({ oneQuestion }) => oneQuestion, "lookups"),
    ...rateRows<NetworkResult>(
      "16 questions",
      ({ sixteenQuestions }) => sixteenQuestions,
      "lookups",
    ),
  ]);
}

function manySection(results: readonly NetworkResult[]): Section {
  const row = (title: string, read: (many: ManyResult) => string): Row<NetworkResult> => [
    title,
    ({ many }) => read(many),
  ];
  const endpoints = load.services * load.endpointsEach;
  return section(
    `${load.services} Services with ${endpoints} endpoints, ${load.connections} connections`,
    "median and range",
    results,
    [
      row("creating them, s", ({ creationMs }) => withRange(creationMs, 1e3, 1)),
      row("change of an endpoint before, s", (many) => withRange(many.changesBeforeMs, 1e3, 2)),
      row("change of an endpoint with them, s", (many) => withRange(many.changesMs, 1e3, 2)),
      row("sandkube-network before", ({ before }) => processText(before)),
      row("sandkube-network with them", ({ withServices }) => processText(withServices)),
      row("sandkube-network with connections", (many) => processText(many.withConnections)),
      ...rateRows<NetworkResult>("opening", ({ many }) => many.opening, "connections"),
      ...rateRows<NetworkResult>("one more request on each", ({ many }) => many.using),
      row("failures", ({ failedConnections }) => `${failedConnections}`),
    ],
  );
}

function soakSection(results: readonly NetworkResult[]): Section {
  const row = (title: string, read: (soak: SoakResult) => string): Row<NetworkResult> => [
    title,
    ({ soak }) => (soak === null ? "" : read(soak)),
  ];
  const sort = (title: string, name: keyof SoakResult["figures"]): Row<NetworkResult>[] => [
    row(`${title}: p50 / p99, µs`, ({ figures }) => {
      const { p50Microseconds, p99Microseconds } = figures[name];
      return `${p50Microseconds.median.toFixed(0)} / ${p99Microseconds.median.toFixed(0)}`;
    }),
    row(`${title}: rate per s, failures`, ({ figures }) => {
      const { perSecond, failures } = figures[name];
      return `${perSecond.median.toFixed(0)}, ${failures}`;
    }),
  ];
  return section(`${soakMinutes} minutes of a steady load`, "", results, [
    row("sandkube-network at the start", ({ start }) => processText(start)),
    row("sandkube-network at the end", ({ end }) => processText(end)),
    ...sort("requests, Service", "serviceRequests"),
    ...sort("new connections, Service", "serviceConnections"),
    ...sort("requests, gateway", "gatewayRequests"),
    ...sort("new connections, gateway", "gatewayConnections"),
    ...sort("lookups", "lookups"),
  ]);
}

/** Such as `52 MB (21 own), 34 descriptors, 12 threads`. */
function processText(process: ProcessSeries): string {
  const { proportionalBytes, anonymousBytes, openDescriptors, threads } = process;
  return [
    `${megabytesOf(proportionalBytes.median)} MB (${megabytesOf(anonymousBytes.median)} own)`,
    `${openDescriptors.median} descriptors`,
    `${threads.median} threads`,
  ].join(", ");
}

function withRange(series: Series, divisor = 1, digits = 0): string {
  const text = (value: number): string => (value / divisor).toFixed(digits);
  return `${text(series.median)} (${text(series.min)}-${text(series.max)})`;
}

function ratio(series: Series): string {
  return withRange(series, 1, 2);
}

function megabytes(series: Series): string {
  return withRange(series, 1e6);
}

function megabytesOf(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
