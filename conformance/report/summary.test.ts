import { expect, it } from "vitest";
import { outcomeOf, summaryOf } from "./summary.js";

const specs = [
  {
    name: "[sig-network] DNS should answer",
    outcome: "passed",
    seconds: 70,
    reason: "",
    images: ["agnhost:2.63.0", "glibc-dns-testing:2.0.0"],
  },
  { name: "[sig-network] B should fail", outcome: "failed", seconds: 20, reason: "a | b" },
  { name: "[sig-network] A should need a cloud", outcome: "skipped", seconds: 1, reason: "no GCE" },
] as const;

it("counts, and lists by name what did not pass", () => {
  const outcome = outcomeOf(specs, 5);
  expect(outcome).toMatchObject({ passed: 1, failed: 1, skipped: 1, notRun: 2, seconds: 91 });
  expect(outcome.misses.map(({ reason }) => reason)).toEqual(["no GCE", "a | b"]);
});

it("prints the counts and what did not pass", () => {
  expect(summaryOf(outcomeOf(specs, 5))).toContain(
    "1 of 5 passed (of these 1 with a substituted image), 1 failed, 1 skipped, 2 not run\n",
  );
  const text = summaryOf(outcomeOf(specs, 3));
  expect(text).toContain(
    "1 of 3 passed (of these 1 with a substituted image), 1 failed, 1 skipped\n",
  );
  expect(text).toContain("failed  [sig-network] B should fail\n          a | b\n");
});

it("says nothing of images where none are noted", () => {
  const unknown = specs.map(({ name, outcome, seconds, reason }) => ({
    name,
    outcome,
    seconds,
    reason,
  }));
  expect(summaryOf(outcomeOf(unknown, 3))).toContain("1 of 3 passed, 1 failed, 1 skipped\n");
});
