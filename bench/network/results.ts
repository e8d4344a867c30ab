import type { SandboxKind } from "../../lab/src/index.js";
import { seriesOf, type Series } from "../statistics.js";
import type { HeldFigures, RateFigures, StreamFigures } from "./figures.js";
import type { ManyRun } from "./measure-many.js";
import type { PathRun, Turn } from "./measure-paths.js";
import type { SoakRun } from "./measure-soak.js";
import type { NetworkProcess } from "./network-process.js";
import type { NetworkRound } from "./rounds.js";

/** Exchanges of one sort, over all rounds and turns. */
export interface RateSeries {
  readonly perSecond: Series;
  readonly p50Microseconds: Series;
  readonly p99Microseconds: Series;
  /** Sum over all turns. */
  readonly failures: number;
}

/** The same requests without and with what is in question. */
export interface RateComparison {
  readonly direct: RateSeries;
  readonly through: RateSeries;
  /** Requests a second, through / direct, of each turn. */
  readonly ratio: Series;
  /** What the median request of each turn takes longer. */
  readonly addedP50Microseconds: Series;
}

/** The same stream without and with what is in question; bytes a second. */
export interface StreamComparison {
  readonly direct: Series;
  readonly through: Series;
  readonly ratio: Series;
}

export interface PathResult {
  readonly oneConnection: RateComparison;
  readonly sixteenConnections: RateComparison;
  readonly stream: StreamComparison;
}

/** The node's network process; each figure over all rounds. */
export type ProcessSeries = { readonly [Figure in keyof NetworkProcess]: Series };

export interface ManyResult {
  readonly before: ProcessSeries;
  readonly withServices: ProcessSeries;
  readonly withConnections: ProcessSeries;
  /** All changes of all rounds. */
  readonly changesBeforeMs: Series;
  readonly changesMs: Series;
  readonly creationMs: Series;
  readonly opening: RateSeries;
  readonly using: RateSeries;
  /** Connections that could not be opened or used, of all rounds. */
  readonly failedConnections: number;
}

export interface SoakResult {
  readonly start: ProcessSeries;
  readonly end: ProcessSeries;
  readonly figures: { readonly [Sort in keyof SoakRun["figures"]]: RateSeries };
}

/** Everything measured in one kind of sandbox. */
export interface NetworkResult {
  readonly kind: SandboxKind;
  readonly service: PathResult;
  readonly gateway: PathResult;
  readonly oneQuestion: RateSeries;
  readonly sixteenQuestions: RateSeries;
  readonly many: ManyResult;
  /** Null: it was not asked for. */
  readonly soak: SoakResult | null;
}

export function networkResult(kind: SandboxKind, rounds: readonly NetworkRound[]): NetworkResult {
  const soaks = rounds.map(({ soak }) => soak).filter((soak) => soak !== null);
  return {
    kind,
    service: pathResult(rounds.map(({ service }) => service)),
    gateway: pathResult(rounds.map(({ gateway }) => gateway)),
    oneQuestion: rateSeries(rounds.flatMap(({ lookups }) => lookups.oneQuestion)),
    sixteenQuestions: rateSeries(rounds.flatMap(({ lookups }) => lookups.sixteenQuestions)),
    many: manyResult(rounds.map(({ many }) => many)),
    soak: soaks.length === 0 ? null : soakResult(soaks),
  };
}

/** What one path came to over all rounds. */
export function pathResult(runs: readonly PathRun[]): PathResult {
  return {
    oneConnection: rateComparison(runs.flatMap(({ oneConnection }) => oneConnection)),
    sixteenConnections: rateComparison(
      runs.flatMap(({ sixteenConnections }) => sixteenConnections),
    ),
    stream: streamComparison(runs.flatMap(({ stream }) => stream)),
  };
}

/** Ratios are taken turn by turn: what else the machine does changes less within one. */
function rateComparison(turns: readonly Turn<RateFigures>[]): RateComparison {
  return {
    direct: rateSeries(turns.map(({ direct }) => direct)),
    through: rateSeries(turns.map(({ through }) => through)),
    ratio: seriesOf(turns.map(({ direct, through }) => through.perSecond / direct.perSecond)),
    addedP50Microseconds: seriesOf(
      turns.map(({ direct, through }) => through.p50Microseconds - direct.p50Microseconds),
    ),
  };
}

function streamComparison(turns: readonly Turn<StreamFigures>[]): StreamComparison {
  return {
    direct: seriesOf(turns.map(({ direct }) => direct.bytesPerSecond)),
    through: seriesOf(turns.map(({ through }) => through.bytesPerSecond)),
    ratio: seriesOf(
      turns.map(({ direct, through }) => through.bytesPerSecond / direct.bytesPerSecond),
    ),
  };
}

function rateSeries(figures: readonly RateFigures[]): RateSeries {
  return {
    perSecond: seriesOf(figures.map(({ perSecond }) => perSecond)),
    p50Microseconds: seriesOf(figures.map(({ p50Microseconds }) => p50Microseconds)),
    p99Microseconds: seriesOf(figures.map(({ p99Microseconds }) => p99Microseconds)),
    failures: sum(figures.map(({ failures }) => failures)),
  };
}

function manyResult(runs: readonly ManyRun[]): ManyResult {
  const failed = ({ opening, using }: { opening: HeldFigures; using: HeldFigures }): number =>
    opening.failures + using.failures;
  return {
    before: processSeries(runs.map(({ before }) => before)),
    withServices: processSeries(runs.map(({ withServices }) => withServices)),
    withConnections: processSeries(runs.map(({ withConnections }) => withConnections)),
    changesBeforeMs: seriesOf(runs.flatMap(({ changesBeforeMs }) => changesBeforeMs)),
    changesMs: seriesOf(runs.flatMap(({ changesMs }) => changesMs)),
    creationMs: seriesOf(runs.map(({ creationMs }) => creationMs)),
    opening: rateSeries(runs.map(({ opening }) => opening)),
    using: rateSeries(runs.map(({ using }) => using)),
    failedConnections: sum(runs.map(failed)),
  };
}

function soakResult(soaks: readonly SoakRun[]): SoakResult {
  const rates = (sort: keyof SoakRun["figures"]): RateSeries =>
    rateSeries(soaks.map(({ figures }) => figures[sort]));
  return {
    start: processSeries(soaks.map(({ start }) => start)),
    end: processSeries(soaks.map(({ end }) => end)),
    figures: {
      serviceRequests: rates("serviceRequests"),
      serviceConnections: rates("serviceConnections"),
      gatewayRequests: rates("gatewayRequests"),
      gatewayConnections: rates("gatewayConnections"),
      lookups: rates("lookups"),
    },
  };
}

function processSeries(processes: readonly NetworkProcess[]): ProcessSeries {
  const series = (figure: keyof NetworkProcess): Series =>
    seriesOf(processes.map((process) => process[figure]));
  return {
    proportionalBytes: series("proportionalBytes"),
    anonymousBytes: series("anonymousBytes"),
    openDescriptors: series("openDescriptors"),
    threads: series("threads"),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
