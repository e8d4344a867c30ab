import { describe, expect, it } from "vitest";
import { parseClusterOptions } from "../config/cluster-options.js";
import { baseNodeSpec } from "../plan/node-spec.js";
import { planNode } from "../plan/plan.js";
import type { EgressReport } from "../egress/egress-report.js";
import { examine } from "./doctor.js";
import { chooseMode } from "./modes.js";
import { factIds, type Facts } from "./facts.js";
import { factsWith, recordedFacts } from "./testing/recorded-facts.js";

const egress: EgressReport = {
  httpProxy: null,
  httpsProxy: null,
  noProxy: [],
  caSources: [],
  warnings: [],
};

function reportOf(facts: Facts) {
  const options = parseClusterOptions({ dataDirectory: "/d" });
  const paths = { clusterDirectory: "/d/default", programs: "/p" };
  const base = baseNodeSpec(options, paths, chooseMode("node", facts), facts.system);
  return examine(facts, planNode(facts, base).adaptations, egress);
}

describe("examine", () => {
  it("has nothing to say about a full kernel", () => {
    expect(reportOf(recordedFacts("full-kernel"))).toMatchObject({
      adaptations: [],
      losses: [],
      warnings: [],
    });
  });

  it.each([
    ["full-kernel", { kind: "disk" }],
    ["g26", { kind: "tmpfs", sizeBytes: expect.any(Number) }],
    ["unprivileged", null],
  ] as const)("says where unpacked images would lie in %s", (name, expected) => {
    expect(examine(recordedFacts(name), [], egress).unpackedImages).toEqual(expected);
  });

  it("lists a loss for each adaptation that has one", () => {
    const { adaptations, losses } = reportOf(recordedFacts("g24"));
    expect(losses).toEqual(
      adaptations
        .filter(({ loses }) => loses !== null)
        .map(({ id, loses }) => ({ adaptation: id, loses })),
    );
    expect(losses.map(({ adaptation }) => adaptation)).toContain("shared-pid-namespace");
  });

  it("counts each fact once", () => {
    const { factCounts } = reportOf(recordedFacts("g26"));
    expect(Object.values(factCounts).reduce((sum, count) => sum + count)).toBe(factIds.length);
    expect(factCounts.no).toBeGreaterThan(0);
  });

  it.each([
    [
      "little memory",
      factsWith({}, { memoryAvailableBytes: 600 * 1024 ** 2 }),
      "0.6 GiB of memory",
    ],
    ["a small disk", factsWith({}, { dataFreeBytes: 1024 ** 3 }), "1.0 GiB are free"],
    ["a hang", factsWith({ "network.tap-port": { state: "timeout" } }), "network.tap-port hung"],
    ["a crash", factsWith({ "network.tap-port": { state: "crash" } }), "network.tap-port crashed"],
  ])("warns of %s", (_name, facts, text) => {
    expect(reportOf(facts).warnings).toEqual([expect.stringContaining(text)]);
  });

  it("does not warn of amounts that the sandbox does not tell", () => {
    expect(reportOf(factsWith({}, { dataFreeBytes: 0, memoryAvailableBytes: 0 })).warnings).toEqual(
      [],
    );
  });
});
