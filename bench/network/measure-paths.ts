import type { RequestFigures, StreamFigures, Targeted } from "./figures.js";
import type { Scene, Target } from "./scene.js";

/** The same measurement twice, one right after the other: without and with what is in question. */
export interface Turn<F> {
  readonly direct: F;
  readonly through: F;
}

/** Everything measured on one path. */
export interface PathRun {
  readonly oneConnection: readonly Turn<RequestFigures>[];
  readonly sixteenConnections: readonly Turn<RequestFigures>[];
  readonly stream: readonly Turn<StreamFigures>[];
}

/** Measures both sides several times, by a verb of the load generator and its further options. */
type TakeTurns = <F extends Targeted>(
  verb: string,
  port: keyof Target,
  options: readonly string[],
) => Promise<Turn<F>[]>;

/** An odd number, so that the median is a turn that took place. */
const turns = 5;

/** Pod to pod, directly and through a Service, from one process. */
export async function measureService(scene: Scene): Promise<PathRun> {
  const direct = await scene.podTarget("server-1");
  const through = await scene.serviceTarget("server");
  return await measurePath(
    async <F extends Targeted>(verb: string, port: keyof Target, options: readonly string[]) => {
      const targets = ["--target", direct[port], "--target", through[port]];
      const args = [verb, ...targets, "--turns", `${turns}`, ...options];
      return pairsOf(await scene.measureInPod<F>(args), direct[port], through[port]);
    },
  );
}

/** To a server of the sandbox: from a process beside it, and from a pod through the gateway. */
export async function measureGateway(scene: Scene): Promise<PathRun> {
  const target = scene.sandboxTarget;
  return await measurePath(
    async <F extends Targeted>(verb: string, port: keyof Target, options: readonly string[]) => {
      const args = [verb, "--target", target[port], ...options];
      const taken: Turn<F>[] = [];
      for (let turn = 0; turn < turns; turn += 1) {
        const [direct] = await scene.measureOnNode<F>(args);
        const [through] = await scene.measureInPod<F>(args);
        if (direct === undefined || through === undefined) throw new Error(`${verb}: no figures`);
        taken.push({ direct, through });
      }
      return taken;
    },
  );
}

async function measurePath(takeTurns: TakeTurns): Promise<PathRun> {
  const requests = async (connections: number): Promise<Turn<RequestFigures>[]> =>
    await takeTurns("requests", "http", ["--connections", `${connections}`]);
  return {
    oneConnection: await requests(1),
    sixteenConnections: await requests(16),
    stream: await takeTurns("stream", "stream", []),
  };
}

/** The nth measurement of one target belongs to the nth of the other. Throws when one lacks. */
export function pairsOf<F extends Targeted>(
  figures: readonly F[],
  direct: string,
  through: string,
): Turn<F>[] {
  const second = figures.filter(({ target }) => target === through);
  const first = figures.filter(({ target }) => target === direct);
  if (first.length === 0 || first.length !== second.length) {
    throw new Error(`${first.length} measurements of ${direct}, ${second.length} of ${through}`);
  }
  return first.flatMap((direct, turn) => {
    const through = second[turn];
    return through === undefined ? [] : [{ direct, through }];
  });
}
