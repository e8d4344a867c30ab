import type { RunOutcome } from "./record.js";

/** "N of M passed, F failed, K skipped"; M is how many specs were asked for. */
export function countsOf({ passed, failed, skipped }: RunOutcome): string {
  return `${passed} of ${passed + failed + skipped} passed, ${failed} failed, ${skipped} skipped`;
}

/** The result of a run for a terminal: the counts, and two lines for each spec that did not pass. */
export function summaryOf(outcome: RunOutcome): string {
  const misses = outcome.misses.map(
    ({ name, outcome, reason }) => `\n  ${outcome.padEnd(8)}${name}\n          ${reason}`,
  );
  return `${countsOf(outcome)}\n${misses.length === 0 ? "" : `${misses.join("")}\n`}`;
}
