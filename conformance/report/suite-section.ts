import { causeOf, type Explanation } from "./explanation.js";
import type { RecordedSpec, SuiteRecord } from "./record.js";
import { daysOf, passedOf, table } from "./table.js";

/** What the document says of a suite beside its results. */
export interface SuiteText {
  readonly title: string;
  /** Markdown: what the suite is, how it is run, what differs from how upstream runs it. */
  readonly introduction: string;
  /** What one test of the suite is called, such as "spec". */
  readonly unit: string;
  /** The component whose version the results depend on, as records have it. */
  readonly component: string;
  readonly explanations: readonly Explanation[];
}

/**
 * A suite's section of the document: figures for each lab, and what does not pass, with its reason.
 * Empty where nothing is recorded.
 */
export function suiteSection(text: SuiteText, records: readonly SuiteRecord[]): string {
  if (records.length === 0) return "";
  const rows = records.map(({ kind, total, specs, versions }) => [
    kind,
    `**${passedOf(specs)} of ${total}**`,
    specs.filter(({ outcome }) => outcome === "failed").length,
    specs.filter(({ outcome }) => outcome === "skipped").length,
    total - specs.length,
    daysOf(specs),
    `${text.component} ${versions[text.component] ?? "?"}, sandkube ${versions["sandkube"] ?? "?"}`,
  ]);
  const head = ["lab", "passed", "failed", "skipped", "not run yet", "run on", "versions"];
  const parts = [
    `## ${text.title}`,
    text.introduction.trim(),
    table(head, rows),
    ...failures(text, records),
    ...skips(text, records),
  ];
  return `\n${parts.join("\n\n")}\n`;
}

function failures({ explanations, unit }: SuiteText, records: readonly SuiteRecord[]): string[] {
  const groups = grouped(records, "failed", (kind, { name }) =>
    JSON.stringify([name, causeOf(explanations, kind, name) ?? "not looked into yet"]),
  );
  const rows = [...groups].map(([key, { labs, specs }]) => {
    const [name = "", cause = ""] = JSON.parse(key) as string[];
    return [name, labs.join(", "), cause, `\`${specs[0]?.reason ?? ""}\``];
  });
  return rows.length === 0 ? [] : [table([unit, "failed in", "why", "first line"], rows)];
}

function skips({ unit }: SuiteText, records: readonly SuiteRecord[]): string[] {
  const groups = grouped(records, "skipped", (_kind, { reason }) => reason);
  const rows = [...groups].map(([reason, { labs, specs }]) => {
    const names = [...new Set(specs.map(({ name }) => name))];
    return [reason, labs.join(", "), names.join("<br>")];
  });
  const head = [`why the suite skips it`, "in", `${unit}s`];
  return rows.length === 0 ? [] : [table(head, rows)];
}

interface Group {
  readonly labs: string[];
  readonly specs: RecordedSpec[];
}

/** The specs of all labs with an outcome, by what `keyOf` says of them. */
function grouped(
  records: readonly SuiteRecord[],
  outcome: RecordedSpec["outcome"],
  keyOf: (kind: string, spec: RecordedSpec) => string,
): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const { kind, specs } of records) {
    for (const spec of specs.filter((candidate) => candidate.outcome === outcome)) {
      const group = groups.get(keyOf(kind, spec)) ?? { labs: [], specs: [] };
      if (!group.labs.includes(kind)) group.labs.push(kind);
      group.specs.push(spec);
      groups.set(keyOf(kind, spec), group);
    }
  }
  return groups;
}
