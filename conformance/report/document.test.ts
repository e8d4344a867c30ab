import { expect, it } from "vitest";
import { generatedFile, committedContent } from "../../scripts/generated-file.js";
import { conformanceDocument } from "./document.js";
import { keptRecords, outcomeOf } from "./record.js";
import { summaryOf } from "./summary.js";

const specs = [
  { name: "[sig-network] DNS should answer", outcome: "passed", seconds: 70, reason: "" },
  { name: "[sig-network] B should fail", outcome: "failed", seconds: 20, reason: "a | b" },
  { name: "[sig-network] A should need a cloud", outcome: "skipped", seconds: 1, reason: "no GCE" },
] as const;
const outcome = outcomeOf(specs);

it("counts, and lists by name what did not pass", () => {
  expect(outcome).toMatchObject({ passed: 1, failed: 1, skipped: 1, minutes: 2 });
  expect(outcome.misses.map(({ reason }) => reason)).toEqual(["no GCE", "a | b"]);
});

it("prints the counts and what did not pass", () => {
  const text = summaryOf(outcome);
  expect(text).toContain("1 of 3 passed, 1 failed, 1 skipped\n");
  expect(text).toContain("failed  [sig-network] B should fail\n          a | b\n");
});

it("renders a row for each record and a table of what did not pass", () => {
  const text = conformanceDocument([
    {
      kind: "g24",
      scope: "all",
      date: "2026-11-24",
      versions: { kubernetes: "v1.36.4" },
      ...outcome,
    },
  ]);
  expect(text).toContain("| g24 | all | 1/3 | 1 | 1 | 2 | 2026-11-24 | Kubernetes v1.36.4");
  expect(text).toContain("| [sig-network] B should fail | failed | `a \\| b` |");
});

it("is what docs/conformance.md has, for the records that are kept", async () => {
  const document = conformanceDocument(await keptRecords());
  const { path, content } = await generatedFile("docs/conformance.md", document);
  expect(committedContent(path), "run `npm run conformance`").toBe(content);
});
