import type { Writable } from "node:stream";
import type { Reporter } from "./reporter.js";

/** Writes each event as a line of JSON, with `sinceStartMs`, the milliseconds since the reporter was made. */
export function jsonReporter(stream: Writable): Reporter {
  const start = performance.now();
  return {
    report(event) {
      const sinceStartMs = Math.round(performance.now() - start);
      stream.write(`${JSON.stringify({ ...event, sinceStartMs })}\n`);
    },
    [Symbol.dispose]() {},
  };
}
