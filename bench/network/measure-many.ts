import type { HeldFigures } from "./figures.js";
import { measureChanges } from "./measure-changes.js";
import { readNetworkProcess, type NetworkProcess } from "./network-process.js";
import type { Scene } from "./scene.js";

/** What many Services and many connections do to the node's network. */
export interface ManyRun {
  /** With the few Services of the measurements alone. */
  readonly before: NetworkProcess;
  /** With all Services, at rest. */
  readonly withServices: NetworkProcess;
  /** With all Services, and all connections open and silent. */
  readonly withConnections: NetworkProcess;
  /** Times in milliseconds from a change of an endpoint to its effect, without the many Services. */
  readonly changesBeforeMs: readonly number[];
  /** The same among them. */
  readonly changesMs: readonly number[];
  /** How long the API took to create all Services and endpoints. */
  readonly creationMs: number;
  /** Opening the connections, with a request on each. */
  readonly opening: HeldFigures;
  /** One more request on each, after all have been silent. */
  readonly using: HeldFigures;
}

/** What is put on the cluster. */
export const load = { services: 1_000, endpointsEach: 5, connections: 2_000 } as const;

const openLimitMs = 180_000;

export async function measureMany(scene: Scene): Promise<ManyRun> {
  const { sandbox, signal } = scene;
  const before = await readNetworkProcess(sandbox, signal);
  const changesBeforeMs = await measureChanges(scene);
  const began = performance.now();
  const { services, endpointsEach } = load;
  await scene.runInside("create-services.mjs", [`${services}`, `${endpointsEach}`]);
  const creationMs = performance.now() - began;
  const withServices = await readNetworkProcess(sandbox, signal);
  const changesMs = await measureChanges(scene);
  const connections = await holdConnections(scene);
  return { before, withServices, changesBeforeMs, changesMs, creationMs, ...connections };
}

async function holdConnections(
  scene: Scene,
): Promise<Pick<ManyRun, "withConnections" | "opening" | "using">> {
  const { http } = await scene.serviceTarget("server");
  const args = ["hold", "--target", http, "--connections", `${load.connections}`];
  const { process, output } = scene.startInPod(args);
  const line = async (number: number): Promise<HeldFigures> => {
    let seen = 0;
    return await output.until(
      `line ${number} of netload hold`,
      (text) => ((seen += 1) === number ? (JSON.parse(text) as HeldFigures) : null),
      openLimitMs,
    );
  };
  const opening = await line(1);
  const withConnections = await readNetworkProcess(scene.sandbox, scene.signal);
  process.stdin.end();
  const using = await line(2);
  await process.exited;
  return { withConnections, opening, using };
}
