import type { ProgressEvent, ProgressListener } from "../../index.js";
import { jsonReporter } from "./json.js";
import { plainReporter } from "./plain.js";
import { terminalReporter } from "./terminal.js";
import { whoeverReads } from "../unread-output.js";

/** Shows the progress of one operation. */
export interface Reporter extends Disposable {
  report(event: ProgressEvent): void;
}

/**
 * Does an operation's work and shows its progress: as JSON lines on standard output, or on standard
 * error as a live line for a terminal, else as plain lines.
 */
export async function reporting<T>(
  options: { json: boolean },
  work: (onProgress: ProgressListener) => Promise<T>,
): Promise<T> {
  const reporter = createReporter(options);
  try {
    return await whoeverReads(() => work((event) => reporter.report(event)));
  } finally {
    reporter[Symbol.dispose]();
  }
}

function createReporter(options: { json: boolean }): Reporter {
  if (options.json) return jsonReporter(process.stdout);
  return process.stderr.isTTY ? terminalReporter(process.stderr) : plainReporter(process.stderr);
}
