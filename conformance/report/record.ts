import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { repositoryPath } from "../../scripts/programs/repository.js";
import type { JournalHead } from "../run/journal.js";
import type { SuiteName } from "../suites.js";
import type { SpecResult } from "./spec-results.js";

/** How a spec went when it was last run. */
export interface RecordedSpec extends Omit<SpecResult, "seconds"> {
  /** Day of the run, `YYYY-MM-DD`. */
  readonly date: string;
}

/**
 * What is known of a suite in a lab with one set of versions: the last result of each spec, from as many
 * runs as it took.
 */
export interface SuiteRecord extends JournalHead {
  /** How many specs of the suite count. */
  readonly total: number;
  /** By name. */
  readonly specs: readonly RecordedSpec[];
}

/** Where the records of a suite are, by lab, relative to the checkout. */
const directories: Readonly<Record<SuiteName, string>> = {
  conformance: "conformance/results",
  critest: "conformance/results/critest",
  kubectl: "conformance/results/kubectl",
};

/** Path of a record relative to the checkout. */
export function recordPath(suite: SuiteName, kind: string): string {
  return `${directories[suite]}/${kind}.json`;
}

/** All records of a suite that are kept, in the order of their file names. */
export async function keptRecords(suite: SuiteName): Promise<SuiteRecord[]> {
  const directory = repositoryPath(directories[suite]);
  const names = await readdir(directory).catch((): string[] => []);
  const texts = names
    .filter((name) => name.endsWith(".json"))
    .toSorted()
    .map((name) => readFile(join(directory, name), "utf8"));
  return (await Promise.all(texts)).map((text) => JSON.parse(text) as SuiteRecord);
}

/**
 * The record with a run's results of specs that count added. Results of other versions, or of specs
 * that the suite no longer has, are dropped.
 */
export function merged(
  earlier: SuiteRecord | undefined,
  head: JournalHead,
  { results, specs: counted, date }: RunToRecord,
): SuiteRecord {
  const isOfSameVersions =
    earlier !== undefined && JSON.stringify(earlier.versions) === JSON.stringify(head.versions);
  const known = new Set(counted);
  const specs = new Map<string, RecordedSpec>();
  for (const spec of isOfSameVersions ? earlier.specs : []) specs.set(spec.name, spec);
  for (const { seconds: _seconds, ...result } of results) {
    specs.set(result.name, { ...result, date });
  }
  return {
    ...head,
    total: counted.length,
    specs: [...specs.values()]
      .filter(({ name }) => known.has(name))
      .toSorted((one, other) => (one.name < other.name ? -1 : 1)),
  };
}

export interface RunToRecord {
  readonly results: readonly SpecResult[];
  /** Names of all specs of the suite that count. */
  readonly specs: readonly string[];
  /** Day of the run, `YYYY-MM-DD`. */
  readonly date: string;
}
