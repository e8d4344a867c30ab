import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SpecResult } from "../report/spec-results.js";
import { Journal } from "./journal.js";

const head = { kind: "g26", versions: { sandkube: "0.1.0" } };

function result(name: string, outcome: SpecResult["outcome"]): SpecResult {
  return { name, outcome, seconds: 1, reason: "" };
}

describe("Journal", () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "journal-"));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it("has what an earlier run wrote before it was killed", () => {
    const path = join(directory, "killed.jsonl");
    const killed = Journal.create(path, head, ["a", "b", "c", "d"]);
    killed.add(result("a", "failed"));
    killed.add(result("b", "failed"));
    killed.add(result("b", "passed"));
    appendFileSync(path, '{"name":"c","outc');
    const resumed = Journal.open(path, head);
    resumed.add(result("d", "skipped"));
    const again = Journal.open(path, head);
    const outcomes = ["a", "b", "c", "d"].map((name) => again.result(name)?.outcome);
    expect(again.specs).toEqual(["a", "b", "c", "d"]);
    expect(outcomes).toEqual(["failed", "passed", undefined, "skipped"]);
  });

  it("is refused when it is of other versions, or not there", () => {
    const path = join(directory, "other.jsonl");
    Journal.create(path, head, []);
    const other = { ...head, versions: { sandkube: "0.2.0" } };
    expect(() => Journal.open(path, other)).toThrow(/of other versions.*0\.1\.0/);
    expect(() => Journal.open(join(directory, "none.jsonl"), head)).toThrow(/no earlier run/);
  });
});
