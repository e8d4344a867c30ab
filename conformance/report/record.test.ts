import { describe, expect, it } from "vitest";
import { critestSuite } from "../critest/section.js";
import { kubectlSuite } from "../kubectl/section.js";
import { causeOf, explains } from "./explanation.js";
import { explanations } from "./explanations.js";
import { keptRecords, merged } from "./record.js";
import type { SpecResult } from "./spec-results.js";

const head = { kind: "g26", versions: { sandkube: "0.1.0" } };
const specs = ["a", "b", "c"];

function result(name: string, outcome: SpecResult["outcome"]): SpecResult {
  return { name, outcome, seconds: 1.234, reason: "" };
}

describe("merged", () => {
  const first = merged(undefined, head, {
    results: [result("b", "failed"), result("a", "passed")],
    specs,
    date: "2026-11-24",
  });

  it("has the last result of each spec, of several runs", () => {
    const results = [
      result("b", "passed"),
      result("c", "failed"),
      result("not conformance", "failed"),
    ];
    const record = merged(first, head, { results, specs, date: "2026-11-25" });
    expect(record.total).toBe(3);
    expect(record.specs).toEqual([
      { name: "a", outcome: "passed", reason: "", date: "2026-11-24" },
      { name: "b", outcome: "passed", reason: "", date: "2026-11-25" },
      { name: "c", outcome: "failed", reason: "", date: "2026-11-25" },
    ]);
  });

  it("drops what is of other versions", () => {
    const newer = { ...head, versions: { sandkube: "0.2.0" } };
    const run = { results: [result("c", "passed")], specs, date: "2026-11-25" };
    expect(merged(first, newer, run).specs.map(({ name }) => name)).toEqual(["c"]);
  });
});

describe.each([
  { suite: "conformance", explanations },
  { suite: "critest", explanations: critestSuite.explanations },
  { suite: "kubectl", explanations: kubectlSuite.explanations },
] as const)("the records of $suite that are kept", ({ suite, explanations }) => {
  it("explain each spec that fails, and no other", async () => {
    const records = await keptRecords(suite);
    const failures = records.flatMap(({ kind, specs }) =>
      specs.filter(({ outcome }) => outcome === "failed").map(({ name }) => ({ kind, name })),
    );
    const unexplained = failures.filter(
      ({ kind, name }) => causeOf(explanations, kind, name) === null,
    );
    const needless = explanations.filter(
      (explanation) => !failures.some(({ kind, name }) => explains(explanation, kind, name)),
    );
    expect(unexplained).toEqual([]);
    expect(needless).toEqual([]);
  });
});
