import { bootSandbox, type SandboxKind } from "../../lab/src/index.js";
import { untilQuiet } from "../quiet.js";
import { compressions, type Compression } from "./image.js";
import { Scene, type MemoryFigures } from "./scene.js";

/** An even number, since tar comes before and after by turns. */
const pairsOfRound = 4;

/** A load, and tar's way to unpack the same right before it or after it. */
export interface LoadPair {
  readonly untarSeconds: number;
  readonly loadSeconds: number;
}

/** What a round measured of the image in one form. */
export interface LoadRun {
  readonly pairs: readonly LoadPair[];
  /** With the snapshotter whose snapshots are copies. */
  readonly copiesSeconds: number;
  readonly memory: MemoryFigures;
}

/** A load's time in times of tar's. */
export function ratioOf({ loadSeconds, untarSeconds }: LoadPair): number {
  return loadSeconds / untarSeconds;
}

/** What a round measured in one kind of sandbox, all in one cluster. */
export interface ImagesRound {
  readonly loads: Readonly<Record<Compression, LoadRun>>;
  readonly pullSeconds: number;
  /** With the snapshotter whose snapshots are copies. */
  readonly pullCopiesSeconds: number;
  readonly secondPodSeconds: number;
  /** Layers that the second pod of a loaded image unpacked: none are expected. */
  readonly secondPodLayers: number;
}

export interface ImagesRoundsOptions {
  readonly runs: number;
  readonly kinds: readonly SandboxKind[];
  /** The directory of the large image. */
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly report: (line: string) => void;
}

/** Measures the kinds of sandboxes in turns, each round in new sandboxes. */
export async function measureImagesRounds(
  options: ImagesRoundsOptions,
): Promise<Map<SandboxKind, ImagesRound[]>> {
  const rounds = new Map<SandboxKind, ImagesRound[]>(options.kinds.map((kind) => [kind, []]));
  for (let run = 1; run <= options.runs; run += 1) {
    for (const [kind, done] of rounds) {
      const place = `round ${run} of ${options.runs}, ${kind}`;
      done.push(await measureRound(kind, place, options));
    }
  }
  return rounds;
}

async function measureRound(
  kind: SandboxKind,
  place: string,
  { directory, signal, report }: ImagesRoundsOptions,
): Promise<ImagesRound> {
  await untilQuiet(signal, report);
  await using sandbox = await bootSandbox({ kind, imagesDirectory: directory, signal });
  const scene = await Scene.start(sandbox, directory, signal);
  const loads: Partial<Record<Compression, LoadRun>> = {};
  for (const compression of compressions) {
    const load = await measureLoad(scene, compression);
    loads[compression] = load;
    const ratios = load.pairs.map((pair) => ratioOf(pair).toFixed(2)).join(", ");
    report(`${place}: ${compression} layers: load / tar ${ratios} x`);
  }
  const pullSeconds = await scene.pull();
  const pullCopiesSeconds = await scene.pullAsCopies();
  report(`${place}: pull ${pullSeconds.toFixed(1)} s, as copies ${pullCopiesSeconds.toFixed(1)} s`);
  await scene.load("plain");
  await scene.startPod("first");
  const { seconds, newLayers } = await scene.startPod("second");
  const { plain, gzip } = loads;
  if (plain === undefined || gzip === undefined) throw new Error("not all loads were measured");
  return {
    loads: { plain, gzip },
    pullSeconds,
    pullCopiesSeconds,
    secondPodSeconds: seconds,
    secondPodLayers: newLayers,
  };
}

async function measureLoad(scene: Scene, compression: Compression): Promise<LoadRun> {
  const pairs: LoadPair[] = [];
  for (let turn = 0; turn < pairsOfRound / 2; turn += 1) {
    const before = await scene.untar(compression);
    pairs.push({ untarSeconds: before, loadSeconds: await loadOnce(scene, compression) });
    const loadSeconds = await loadOnce(scene, compression);
    pairs.push({ untarSeconds: await scene.untar(compression), loadSeconds });
  }
  const memory = await scene.loadWatched(compression);
  await scene.remove();
  const copiesSeconds = await scene.loadAsCopies(compression);
  await scene.remove();
  return { pairs, copiesSeconds, memory };
}

async function loadOnce(scene: Scene, compression: Compression): Promise<number> {
  const seconds = await scene.load(compression);
  await scene.remove();
  return seconds;
}
