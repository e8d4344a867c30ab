import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { SandboxKind } from "../../lab/src/index.js";
import { repositoryPath } from "../../scripts/programs/repository.js";
import type { Scope } from "../options.js";
import type { SpecResult } from "./spec-results.js";

/** What a run came to. */
export interface RunOutcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Sum of the specs' durations, in minutes. */
  readonly minutes: number;
  /** The specs that did not pass, by name. */
  readonly misses: readonly Pick<SpecResult, "name" | "outcome" | "reason">[];
}

/** A run as it is kept in `conformance/results`. */
export interface RunRecord extends RunOutcome {
  readonly kind: SandboxKind;
  readonly scope: Scope;
  /** Day of the run, `YYYY-MM-DD`. */
  readonly date: string;
  /** Versions of sandkube and of its parts, by name. */
  readonly versions: Readonly<Record<string, string>>;
}

const directory = "conformance/results";

/** Condenses how each spec went. */
export function outcomeOf(results: readonly SpecResult[]): RunOutcome {
  const count = (outcome: SpecResult["outcome"]): number =>
    results.filter((result) => result.outcome === outcome).length;
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  return {
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("skipped"),
    minutes: Math.round(seconds / 60),
    misses: results
      .filter(({ outcome }) => outcome !== "passed")
      .map(({ name, outcome, reason }) => ({ name, outcome, reason }))
      .toSorted((one, other) => one.name.localeCompare(other.name)),
  };
}

/** Path of a record relative to the checkout: one for each lab and scope, the latest run's. */
export function recordPath({ kind, scope }: Pick<RunRecord, "kind" | "scope">): string {
  return `${directory}/${kind}-${scope}.json`;
}

/** All records that are kept, in the order of their file names. */
export async function keptRecords(): Promise<RunRecord[]> {
  const names = await readdir(repositoryPath(directory)).catch((): string[] => []);
  const texts = names
    .filter((name) => name.endsWith(".json"))
    .toSorted()
    .map((name) => readFile(join(repositoryPath(directory), name), "utf8"));
  return (await Promise.all(texts)).map((text) => JSON.parse(text) as RunRecord);
}
