import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { repositoryPath } from "../../scripts/programs/repository.js";
import type { JournalHead } from "../run/journal.js";
import type { SpecResult } from "./spec-results.js";

/** How a conformance spec went when it was last run. */
export interface RecordedSpec extends Omit<SpecResult, "seconds"> {
  /** Day of the run, `YYYY-MM-DD`. */
  readonly date: string;
}

/**
 * What is known of a lab's conformance with one set of versions: the last result of each spec, from
 * as many runs as it took.
 */
export interface ConformanceRecord extends JournalHead {
  /** How many conformance specs the suite has. */
  readonly total: number;
  /** By name. */
  readonly specs: readonly RecordedSpec[];
}

const directory = "conformance/results";
const conformanceTag = "[Conformance]";

/** Path of a lab's record relative to the checkout. */
export function recordPath(kind: string): string {
  return `${directory}/${kind}.json`;
}

/** All records that are kept, in the order of their file names. */
export async function keptRecords(): Promise<ConformanceRecord[]> {
  const names = await readdir(repositoryPath(directory)).catch((): string[] => []);
  const texts = names
    .filter((name) => name.endsWith(".json"))
    .toSorted()
    .map((name) => readFile(join(repositoryPath(directory), name), "utf8"));
  return (await Promise.all(texts)).map((text) => JSON.parse(text) as ConformanceRecord);
}

/**
 * The record with a run's results of conformance specs added. Results of other versions, or of specs
 * that the suite no longer has, are dropped.
 */
export function merged(
  earlier: ConformanceRecord | undefined,
  head: JournalHead,
  { results, conformanceSpecs, date }: RunToRecord,
): ConformanceRecord {
  const isOfSameVersions =
    earlier !== undefined && JSON.stringify(earlier.versions) === JSON.stringify(head.versions);
  const known = new Set(conformanceSpecs);
  const specs = new Map<string, RecordedSpec>();
  for (const spec of isOfSameVersions ? earlier.specs : []) specs.set(spec.name, spec);
  for (const { seconds: _seconds, ...result } of results) {
    specs.set(result.name, { ...result, date });
  }
  return {
    ...head,
    total: conformanceSpecs.length,
    specs: [...specs.values()]
      .filter(({ name }) => known.has(name))
      .toSorted((one, other) => (one.name < other.name ? -1 : 1)),
  };
}

export interface RunToRecord {
  readonly results: readonly SpecResult[];
  /** Names of all conformance specs of the suite. */
  readonly conformanceSpecs: readonly string[];
  /** Day of the run, `YYYY-MM-DD`. */
  readonly date: string;
}

/** Whether a spec counts for conformance. */
export function isConformanceSpec(name: string): boolean {
  return name.includes(conformanceTag);
}
