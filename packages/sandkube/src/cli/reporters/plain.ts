import type { Writable } from "node:stream";
import { formatDuration } from "../units.js";
import { describeTrouble } from "./describe-event.js";
import type { Reporter } from "./reporter.js";

/** When the first line about a wait comes; each further one comes after twice the time. */
const firstWaitingMs = 5_000;

/** Writes a line when a step ends, and ever rarer ones while something is awaited. */
export function plainReporter(stream: Writable): Reporter {
  const titles = new Map<string, string>();
  let nextWaitingMs = firstWaitingMs;
  const line = (text: string) => stream.write(`${text}\n`);
  return {
    report(event) {
      switch (event.type) {
        case "step-started":
          titles.set(event.step, event.title);
          nextWaitingMs = firstWaitingMs;
          break;
        case "step-finished": {
          const result = event.result === undefined ? "done" : event.result;
          const title = titles.get(event.step) ?? event.step;
          line(`${title}: ${result} (${formatDuration(event.durationMs)})`);
          break;
        }
        case "step-failed":
          line(
            `${titles.get(event.step) ?? event.step}: failed (${formatDuration(event.durationMs)})`,
          );
          break;
        case "waiting":
          if (event.elapsedMs >= nextWaitingMs) {
            nextWaitingMs *= 2;
            line(`  still waiting for ${event.for} (${formatDuration(event.elapsedMs)})`);
          }
          break;
        default: {
          const trouble = describeTrouble(event);
          if (trouble !== null) line(`  ${trouble}`);
        }
      }
    },
    [Symbol.dispose]() {},
  };
}
