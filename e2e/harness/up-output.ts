import type { AdaptationId, BootTimings, ClusterMode, ProgressEvent } from "sandkube";
import { jsonLines } from "./sandkube.js";

/** The last line of `up --json`. */
export interface UpResult {
  readonly type: "result";
  readonly name: string;
  readonly mode: ClusterMode;
  readonly kubeconfigPath: string;
  readonly server: string;
  readonly created: boolean;
  readonly wasRunning: boolean;
  readonly timings: BootTimings;
  readonly adaptations: readonly { readonly id: AdaptationId }[];
}

/** All that `up --json` printed: its events, and what came of it. */
export interface UpOutput {
  readonly events: readonly ProgressEvent[];
  readonly result: UpResult;
}

export function parseUpOutput(stdout: string): UpOutput {
  const lines = jsonLines<ProgressEvent | UpResult>(stdout);
  const result = lines.at(-1);
  if (result?.type !== "result") throw new Error(`up ended without a result:\n${stdout}`);
  const events = lines.filter((line): line is ProgressEvent => line.type !== "result");
  return { events, result };
}

/** Whether a line of `up --json` says that a step has come to a point. */
export function isStepEvent(line: string, type: "step-started" | "step-finished", step: string) {
  const event = JSON.parse(line) as ProgressEvent;
  return event.type === type && event.step === step;
}
