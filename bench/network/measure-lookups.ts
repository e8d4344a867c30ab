import type { RateFigures } from "./figures.js";
import type { Scene } from "./scene.js";

/** Lookups of a Service's name from a pod, by the number of questions at once. */
export interface LookupRun {
  readonly oneQuestion: readonly RateFigures[];
  readonly sixteenQuestions: readonly RateFigures[];
}

const turns = 5;
const name = "server.default.svc.cluster.local.";

export async function measureLookups(scene: Scene): Promise<LookupRun> {
  const lookUp = async (parallel: number): Promise<RateFigures[]> => {
    const options = ["--name", name, "--parallel", `${parallel}`, "--turns", `${turns}`];
    return await scene.measureInPod<RateFigures>(["lookups", ...options]);
  };
  return { oneQuestion: await lookUp(1), sixteenQuestions: await lookUp(16) };
}
