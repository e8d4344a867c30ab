import { bootSandbox, type SandboxKind } from "../../lab/src/index.js";
import { untilQuiet } from "../quiet.js";
import { compressions, type Compression } from "./image.js";
import { Scene, type MemoryFigures } from "./scene.js";

/** A load, and tar's way to unpack the same right before it. */
export interface LoadRun {
  readonly untarSeconds: number;
  readonly loadSeconds: number;
  /** With the snapshotter whose snapshots are copies. */
  readonly copiesSeconds: number;
  readonly memory: MemoryFigures;
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
    const ratio = (load.loadSeconds / load.untarSeconds).toFixed(2);
    report(`${place}: ${compression} layers: load / tar ${ratio} x`);
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
  const untarSeconds = await scene.untar(compression);
  const loadSeconds = await scene.load(compression);
  await scene.remove();
  const memory = await scene.loadWatched(compression);
  await scene.remove();
  const copiesSeconds = await scene.loadAsCopies(compression);
  await scene.remove();
  return { untarSeconds, loadSeconds, copiesSeconds, memory };
}
