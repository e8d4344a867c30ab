import type { SoakFigures } from "./figures.js";
import { readNetworkProcess, type NetworkProcess } from "./network-process.js";
import type { Scene } from "./scene.js";

/** A steady load, and what it leaves behind. */
export interface SoakRun {
  readonly start: NetworkProcess;
  readonly end: NetworkProcess;
  readonly figures: SoakFigures;
}

/** How long the load lasts. */
export const soakMinutes = 5;

const marginMs = 60_000;

/** Reads the process at rest before and after the load. */
export async function measureSoak(scene: Scene): Promise<SoakRun> {
  const service = (await scene.serviceTarget("server")).http;
  const gateway = scene.sandboxTarget.http;
  const targets = ["--service", service, "--gateway", gateway];
  const start = await readNetworkProcess(scene.sandbox, scene.signal);
  const [figures] = await scene.measureInPod<SoakFigures>(
    ["soak", ...targets, "--duration", `${soakMinutes}m`],
    soakMinutes * 60_000 + marginMs,
  );
  if (figures === undefined) throw new Error("netload soak printed nothing");
  return { start, figures, end: await readNetworkProcess(scene.sandbox, scene.signal) };
}
