import { describe, expect, it } from "vitest";
import { explanations } from "./explanations.js";
import { keptRecords, merged } from "./record.js";
import type { SpecResult } from "./spec-results.js";

const head = { kind: "g26", versions: { sandkube: "0.1.0" } };
const conformanceSpecs = ["a", "b", "c"];

function result(name: string, outcome: SpecResult["outcome"]): SpecResult {
  return { name, outcome, seconds: 1.234, reason: "" };
}

describe("merged", () => {
  const first = merged(undefined, head, {
    results: [result("b", "failed"), result("a", "passed")],
    conformanceSpecs,
    date: "2026-11-24",
  });

  it("has the last result of each spec, of several runs", () => {
    const results = [
      result("b", "passed"),
      result("c", "failed"),
      result("not conformance", "failed"),
    ];
    const record = merged(first, head, { results, conformanceSpecs, date: "2026-11-25" });
    expect(record.total).toBe(3);
    expect(record.specs).toEqual([
      { name: "a", outcome: "passed", reason: "", date: "2026-11-24" },
      { name: "b", outcome: "passed", reason: "", date: "2026-11-25" },
      { name: "c", outcome: "failed", reason: "", date: "2026-11-25" },
    ]);
  });

  it("drops what is of other versions", () => {
    const newer = { ...head, versions: { sandkube: "0.2.0" } };
    const run = { results: [result("c", "passed")], conformanceSpecs, date: "2026-11-25" };
    expect(merged(first, newer, run).specs.map(({ name }) => name)).toEqual(["c"]);
  });
});

describe("the records that are kept", () => {
  it("explain each spec that does not pass, and no other", async () => {
    const records = await keptRecords();
    const misses = records.flatMap(({ specs }) =>
      specs.filter(({ outcome }) => outcome !== "passed"),
    );
    const unexplained = misses.filter(
      ({ name }) => !explanations.some(({ spec }) => name.startsWith(spec)),
    );
    const needless = explanations.filter(
      ({ spec }) => !misses.some(({ name }) => name.startsWith(spec)),
    );
    expect(unexplained.map(({ name }) => name)).toEqual([]);
    expect(needless).toEqual([]);
  });
});
