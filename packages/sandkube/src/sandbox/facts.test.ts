import { describe, expect, it } from "vitest";
import { fails, factOf, listOf, parseFacts, works, type FactState } from "./facts.js";
import { factsWith, recordedFacts } from "./testing/recorded-facts.js";

describe("parseFacts", () => {
  const valid = recordedFacts("full-kernel");

  it.each<[string, unknown]>([
    ["another schema", { ...valid, schema: 2 }],
    ["a missing fact", { ...valid, facts: { ...valid.facts, "setns.pid": undefined } }],
    [
      "an unknown fact",
      { ...valid, facts: { ...valid.facts, "gpu.present": { state: "no", elapsedMs: 0 } } },
    ],
    [
      "an unknown state",
      { ...valid, facts: { ...valid.facts, "setns.pid": { state: "perhaps", elapsedMs: 0 } } },
    ],
    ["no system", { schema: 1, facts: valid.facts }],
  ])("refuses %s", (_name, document) => {
    expect(() => parseFacts(JSON.stringify(document))).toThrow(
      expect.objectContaining({ code: "E_PROGRAMS_MISMATCH" }),
    );
  });

  it("refuses what is not JSON", () => {
    expect(() => parseFacts("panic: nil")).toThrow(
      expect.objectContaining({ code: "E_PROGRAMS_MISMATCH" }),
    );
  });
});

describe("works and fails", () => {
  it.each<[FactState, boolean, boolean]>([
    ["yes", true, false],
    ["no", false, true],
    ["timeout", false, true],
    ["crash", false, true],
    ["skipped", false, false],
  ])("%s", (state, working, failing) => {
    const facts = factsWith({ "setns.pid": { state } });
    expect(works(facts, "setns.pid")).toBe(working);
    expect(fails(facts, "setns.pid")).toBe(failing);
    expect(factOf(facts, "setns.pid").state).toBe(state);
  });
});

describe("listOf", () => {
  it.each([
    [undefined, []],
    ["", []],
    ["cpu", ["cpu"]],
    ["cpu, memory", ["cpu", "memory"]],
  ])("%j", (value, items) => {
    const facts = factsWith({});
    const { value: _dropped, ...fact } = factOf(facts, "cgroup.mounted");
    facts.facts["cgroup.mounted"] = value === undefined ? fact : { ...fact, value };
    expect(listOf(facts, "cgroup.mounted")).toEqual(items);
  });
});
