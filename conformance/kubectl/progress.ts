import { stripVTControlCharacters } from "node:util";
import type { SpecResult } from "../report/spec-results.js";

const beginning = /^\+\+\+ Running case: test-cmd\.(run_\w+)/;
const end = /^\+\+\+ exit code: (\d+)/;
/** A check that did not find what it wanted, by the line of the test; what it wanted follows. */
const failedCheck = /^(?:\S+: )?FAIL!/;
/** Where a command ended with an error. */
const failedCommand = /^ {2}Error in /;
/** How many lines after a failed check say what it wanted. */
const detailLines = 3;

/** Finds the groups of tests that ended in the output of upstream's script. */
export class CommandLineProgress {
  #name: string | null = null;
  #startedAtMs = 0;
  #reason: string[] = [];
  #detailsLeft = 0;

  /** Takes the next line of output and when it came; returns the group that ends with it. */
  take(coloured: string, atMs: number): SpecResult | null {
    const line = stripVTControlCharacters(coloured);
    const begun = beginning.exec(line)?.[1];
    if (begun !== undefined) {
      this.#name = begun;
      this.#startedAtMs = atMs;
      this.#reason = [];
      this.#detailsLeft = 0;
      return null;
    }
    const exitCode = end.exec(line)?.[1];
    if (exitCode !== undefined && this.#name !== null) return this.#finish(exitCode, atMs);
    this.#note(line);
    return null;
  }

  #note(line: string): void {
    if (this.#detailsLeft > 0 && line.trim() !== "") {
      this.#reason.push(line.trim());
      this.#detailsLeft -= 1;
    } else if (failedCheck.test(line)) {
      this.#reason = [line.trim()];
      this.#detailsLeft = detailLines;
    } else if (failedCommand.test(line) && this.#reason.length === 0) {
      this.#reason = [line.trim()];
    }
  }

  #finish(exitCode: string, atMs: number): SpecResult {
    const name = this.#name ?? "";
    this.#name = null;
    const seconds = (atMs - this.#startedAtMs) / 1000;
    if (exitCode === "0") return { name, outcome: "passed", seconds, reason: "" };
    const reason = this.#reason.join(" ") || `exit code ${exitCode}`;
    return { name, outcome: "failed", seconds, reason };
  }
}
