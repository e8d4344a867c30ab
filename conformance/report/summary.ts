import type { SpecResult } from "./spec-results.js";
import { substituted } from "./substituted.js";

/** What a run came to. */
export interface RunOutcome {
  /** How many specs were asked for. */
  readonly asked: number;
  readonly passed: number;
  /**
   * Of those that passed, how many used an image that is not made of what upstream's is; null where
   * images are not noted.
   */
  readonly passedWithSubstitute: number | null;
  readonly failed: number;
  readonly skipped: number;
  /** Asked for, but not come to. */
  readonly notRun: number;
  /** Sum of the specs' durations, in seconds. */
  readonly seconds: number;
  /** The specs that did not pass, by name. */
  readonly misses: readonly Pick<SpecResult, "name" | "outcome" | "reason">[];
}

/** Condenses how each spec went. */
export function outcomeOf(results: readonly SpecResult[], asked: number): RunOutcome {
  const count = (outcome: SpecResult["outcome"]): number =>
    results.filter((result) => result.outcome === outcome).length;
  return {
    asked,
    passed: count("passed"),
    passedWithSubstitute: substitutedOf(results),
    failed: count("failed"),
    skipped: count("skipped"),
    notRun: asked - results.length,
    seconds: Math.round(results.reduce((sum, result) => sum + result.seconds, 0)),
    misses: results
      .filter(({ outcome }) => outcome !== "passed")
      .map(({ name, outcome, reason }) => ({ name, outcome, reason }))
      .toSorted((one, other) => one.name.localeCompare(other.name)),
  };
}

function substitutedOf(results: readonly SpecResult[]): number | null {
  if (results.every(({ images }) => images === undefined)) return null;
  const passed = results.filter(({ outcome }) => outcome === "passed");
  const images = new Map(passed.map((result) => [result.name, result.images ?? []] as const));
  return substituted([...images.keys()], images).count;
}

/**
 * "N of M passed (of these S with a substituted image), F failed, K skipped"; M were asked for. Without
 * what is in parentheses where images are not noted.
 */
export function countsOf(outcome: Omit<RunOutcome, "misses" | "seconds">): string {
  const { asked, passed, passedWithSubstitute, failed, skipped, notRun } = outcome;
  const withSubstitute =
    passedWithSubstitute === null
      ? ""
      : ` (of these ${passedWithSubstitute} with a substituted image)`;
  const counts = `${passed} of ${asked} passed${withSubstitute}, ${failed} failed, ${skipped} skipped`;
  return notRun === 0 ? counts : `${counts}, ${notRun} not run`;
}

/** The result of a run for a terminal: the counts, and two lines for each spec that did not pass. */
export function summaryOf(outcome: RunOutcome): string {
  const misses = outcome.misses.map(
    ({ name, outcome, reason }) => `\n  ${outcome.padEnd(8)}${name}\n          ${reason}`,
  );
  return `${countsOf(outcome)}\n${misses.length === 0 ? "" : `${misses.join("")}\n`}`;
}
