import { expect, it } from "vitest";
import type { RecordedSpec, SuiteRecord } from "./record.js";
import { suiteSection, type SuiteText } from "./suite-section.js";

const text: SuiteText = {
  title: "critest",
  introduction: "What it is.",
  unit: "spec",
  component: "cri-tools",
  explanations: [
    { spec: "OOM", labs: ["g26", "g24"], cause: "no limits in gVisor" },
    { spec: "Host", cause: "no host ports" },
  ],
};

const date = "2026-11-30";
const versions = { "cri-tools": "v1.36.0", sandkube: "0.1.0" };

function spec(name: string, outcome: RecordedSpec["outcome"], reason = ""): RecordedSpec {
  return { name, outcome, reason, date };
}

function record(kind: string, specs: readonly RecordedSpec[]): SuiteRecord {
  return { kind, versions, total: 4, specs };
}

it("has a figure for each lab, and each failure once with the labs and the cause", () => {
  const section = suiteSection(text, [
    record("bare", [spec("OOM kill", "failed", "no kill"), spec("Host port", "failed", "refused")]),
    record("g26", [
      spec("OOM kill", "failed", "a | b"),
      spec("Host port", "failed", "refused"),
      spec("AppArmor", "skipped", "not enabled"),
      spec("Exec", "passed"),
    ]),
  ]);
  expect(section).toContain("| bare | **0 of 4** | 2 | 0 | 2 | 2026-11-30 | cri-tools v1.36.0,");
  expect(section).toContain("| g26 | **1 of 4** | 2 | 1 | 0 |");
  expect(section).toContain("| OOM kill | bare | not looked into yet | `no kill` |");
  expect(section).toContain("| OOM kill | g26 | no limits in gVisor | `a \\| b` |");
  expect(section).toContain("| Host port | bare, g26 | no host ports | `refused` |");
  expect(section).toContain("| not enabled | g26 | AppArmor |");
});

it("is empty where nothing is recorded", () => {
  expect(suiteSection(text, [])).toBe("");
});
