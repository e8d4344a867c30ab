import type { SandboxKind } from "../../lab/src/index.js";
import { seriesOf, type Series } from "../statistics.js";
import { compressions, type Compression } from "./image.js";
import { ratioOf, type ImagesRound, type LoadRun } from "./rounds.js";

const bytesPerMB = 1e6;

/** All rounds' measurements of loading the image in one form. */
export interface LoadResult {
  readonly untarSeconds: Series;
  readonly loadSeconds: Series;
  readonly copiesSeconds: Series;
  /** Of each pair, the load's time in times of tar's. */
  readonly ratio: Series;
  /** Of each round, in times of tar's median. */
  readonly copiesRatio: Series;
  /** The highest memory of containerd and the loader together, over containerd's before. */
  readonly memoryMB: Series;
}

/** What was measured in one kind of sandbox. */
export interface ImagesResult {
  readonly kind: SandboxKind;
  readonly loads: Readonly<Record<Compression, LoadResult>>;
  readonly pullSeconds: Series;
  readonly pullCopiesSeconds: Series;
  readonly secondPodSeconds: Series;
  readonly secondPodLayers: Series;
}

/** Puts the rounds of one kind together. */
export function imagesResult(kind: SandboxKind, rounds: readonly ImagesRound[]): ImagesResult {
  const series = (read: (round: ImagesRound) => number): Series => seriesOf(rounds.map(read));
  const loadsOf = (compression: Compression): LoadResult =>
    loadResult(rounds.map(({ loads }) => loads[compression]));
  const [plain, gzip] = compressions;
  return {
    kind,
    loads: { plain: loadsOf(plain), gzip: loadsOf(gzip) },
    pullSeconds: series((round) => round.pullSeconds),
    pullCopiesSeconds: series((round) => round.pullCopiesSeconds),
    secondPodSeconds: series((round) => round.secondPodSeconds),
    secondPodLayers: series((round) => round.secondPodLayers),
  };
}

function loadResult(runs: readonly LoadRun[]): LoadResult {
  const series = (read: (run: LoadRun) => number): Series => seriesOf(runs.map(read));
  const pairs = runs.flatMap((run) => run.pairs);
  return {
    untarSeconds: seriesOf(pairs.map(({ untarSeconds }) => untarSeconds)),
    loadSeconds: seriesOf(pairs.map(({ loadSeconds }) => loadSeconds)),
    copiesSeconds: series((run) => run.copiesSeconds),
    ratio: seriesOf(pairs.map(ratioOf)),
    copiesRatio: series(
      (run) =>
        run.copiesSeconds / seriesOf(run.pairs.map(({ untarSeconds }) => untarSeconds)).median,
    ),
    memoryMB: series(({ memory }) => (memory.peakBytes - memory.idleBytes) / bytesPerMB),
  };
}
