import { generatedFile, writeGenerated } from "../../scripts/generated-file.js";
import type { JournalHead } from "../run/journal.js";
import { conformanceDocument } from "./document.js";
import { keptRecords, merged, recordPath, type RunToRecord } from "./record.js";

/** Adds a run to the record of its lab and renders the document anew. Returns the files' paths. */
export async function keepRecord(head: JournalHead, run: RunToRecord): Promise<string[]> {
  const others = (await keptRecords()).filter(({ kind }) => kind !== head.kind);
  const earlier = (await keptRecords()).find(({ kind }) => kind === head.kind);
  const record = merged(earlier, head, run);
  const own = await generatedFile(recordPath(head.kind), JSON.stringify(record));
  const records = [...others, record].toSorted((one, other) => (one.kind < other.kind ? -1 : 1));
  const document = await generatedFile("docs/conformance.md", conformanceDocument(records));
  writeGenerated([own, document]);
  return [own.path, document.path];
}
