import { generatedFile, writeGenerated } from "../../scripts/generated-file.js";
import type { JournalHead } from "../run/journal.js";
import { suiteNames, type SuiteName } from "../suites.js";
import { conformanceDocument, type SuiteRecords } from "./document.js";
import { keptRecords, merged, recordPath, type RunToRecord, type SuiteRecord } from "./record.js";

/** Adds a run to the record of its suite and lab and renders the document anew. Returns the files' paths. */
export async function keepRecord(
  suite: SuiteName,
  head: JournalHead,
  run: RunToRecord,
): Promise<string[]> {
  const kept = await allRecords();
  const others = kept[suite].filter(({ kind }) => kind !== head.kind);
  const earlier = kept[suite].find(({ kind }) => kind === head.kind);
  const record = merged(earlier, head, run);
  const own = await generatedFile(recordPath(suite, head.kind), JSON.stringify(record));
  const records = { ...kept, [suite]: [...others, record].toSorted(byKind) };
  const document = await generatedFile("docs/conformance.md", conformanceDocument(records));
  writeGenerated([own, document]);
  return [own.path, document.path];
}

function byKind(one: SuiteRecord, other: SuiteRecord): number {
  return one.kind < other.kind ? -1 : 1;
}

/** The records of all suites that are kept. */
export async function allRecords(): Promise<SuiteRecords> {
  const pairs = suiteNames.map(async (name) => [name, await keptRecords(name)] as const);
  return Object.fromEntries(await Promise.all(pairs)) as Record<SuiteName, SuiteRecord[]>;
}
