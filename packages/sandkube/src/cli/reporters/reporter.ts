import type { ProgressEvent } from "../../index.js";
import { jsonReporter } from "./json.js";
import { plainReporter } from "./plain.js";
import { terminalReporter } from "./terminal.js";

/** Shows the progress of one operation. */
export interface Reporter extends Disposable {
  report(event: ProgressEvent): void;
}

/** JSON lines on standard output, or on standard error a live line for a terminal, else plain lines. */
export function createReporter(options: { json: boolean }): Reporter {
  if (options.json) return jsonReporter(process.stdout);
  return process.stderr.isTTY ? terminalReporter(process.stderr) : plainReporter(process.stderr);
}
