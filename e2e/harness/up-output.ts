import assert from "node:assert/strict";
import type { ProgressEvent } from "sandkube";
import {
  jsonLineSchema,
  type JsonLine,
  type ResultLine,
} from "../../packages/sandkube/src/cli/json-lines.js";
import { jsonLines } from "./sandkube.js";

/** The last line of `up --json`. */
export type UpResult = Extract<ResultLine, { command: "up" }>;

/** All that `up --json` printed: its events, and what came of it. */
export interface UpOutput {
  readonly events: readonly ProgressEvent[];
  readonly result: UpResult;
}

export function parseUpOutput(stdout: string): UpOutput {
  const lines = documentedLines(stdout);
  const result = lines.at(-1);
  if (result?.type !== "result" || result.command !== "up") {
    throw new Error(`up ended without a result:\n${stdout}`);
  }
  const events = lines.filter((line) => line.type !== "result" && line.type !== "error");
  return { events, result };
}

/** The lines of `--json` output. Each has to be as the published schema says, without a field more. */
export function documentedLines(stdout: string): JsonLine[] {
  return jsonLines<JsonLine>(stdout).map((line) => {
    assert.deepEqual(jsonLineSchema.parse(line), line);
    return line;
  });
}

/** Whether a line of `up --json` says that a step has come to a point. */
export function isStepEvent(line: string, type: "step-started" | "step-finished", step: string) {
  const event = JSON.parse(line) as ProgressEvent;
  return event.type === type && event.step === step;
}
