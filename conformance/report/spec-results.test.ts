import { describe, expect, it } from "vitest";
import { plannedSpecs, specResults } from "./spec-results.js";

const spec = { LeafNodeType: "It", RunTime: 0, NumAttempts: 1 };
const dns = { ...spec, ContainerHierarchyTexts: ["[sig-network] DNS"] };

function reportOf(reports: readonly object[]): string {
  return JSON.stringify([{ SpecReports: reports }]);
}

describe("specResults", () => {
  it("has what was asked for, with the first line of each failure", () => {
    const report = reportOf([
      {
        ...spec,
        ContainerHierarchyTexts: null,
        LeafNodeType: "ReportBeforeSuite",
        LeafNodeText: "",
        State: "passed",
        NumAttempts: 0,
      },
      {
        ...dns,
        LeafNodeText: "should provide DNS for the cluster [Conformance]",
        State: "passed",
        RunTime: 15_423_166_641,
      },
      {
        ...dns,
        LeafNodeText: "should provide DNS for the cluster [Provider:GCE]",
        State: "skipped",
        RunTime: 253_829_369,
        Failure: { Message: "Only supported for providers [gce] (not skeleton)" },
      },
      {
        ...dns,
        ContainerHierarchyTexts: ["[sig-network] DNS", "configMap nameserver Change stubDomain"],
        LeafNodeText: "should be able to change stubDomain configuration [Slow] [Serial]",
        State: "failed",
        RunTime: 374_000_000,
        Failure: { Message: "Expected\n    <int>: 0\nto be >=\n    <int>: 1" },
      },
      {
        ...dns,
        LeafNodeText: "should provide DNS for services [Conformance]",
        State: "skipped",
        NumAttempts: 0,
      },
    ]);
    expect(specResults(report)).toEqual([
      {
        name: "[sig-network] DNS should provide DNS for the cluster [Conformance]",
        outcome: "passed",
        seconds: 15.423166641,
        reason: "",
      },
      {
        name: "[sig-network] DNS should provide DNS for the cluster [Provider:GCE]",
        outcome: "skipped",
        seconds: 0.253829369,
        reason: "Only supported for providers [gce] (not skeleton)",
      },
      {
        name: "[sig-network] DNS configMap nameserver Change stubDomain should be able to change stubDomain configuration [Slow] [Serial]",
        outcome: "failed",
        seconds: 0.374,
        reason: "Expected",
      },
    ]);
  });

  it("counts a failed set-up as a failed spec", () => {
    const report = reportOf([
      {
        ...spec,
        ContainerHierarchyTexts: null,
        LeafNodeType: "SynchronizedBeforeSuite",
        LeafNodeText: "",
        State: "failed",
        RunTime: 314_635,
        NumAttempts: 0,
        Failure: { Message: "Error loading client: no such file or directory" },
      },
      { ...dns, LeafNodeText: "should provide DNS for services", State: "skipped", NumAttempts: 0 },
    ]);
    expect(specResults(report)).toMatchObject([
      {
        name: "SynchronizedBeforeSuite",
        outcome: "failed",
        reason: "Error loading client: no such file or directory",
      },
    ]);
  });

  it("has what a panic said, and nothing of a spec that was not come to", () => {
    const report = reportOf([
      {
        ...dns,
        LeafNodeText: "should provide DNS for services",
        State: "panicked",
        Failure: { Message: "", ForwardedPanic: "index out of range" },
      },
      { ...dns, LeafNodeText: "should provide DNS for pods", State: "skipped", NumAttempts: 0 },
    ]);
    expect(specResults(report)).toMatchObject([
      { outcome: "failed", reason: "index out of range" },
    ]);
  });
});

describe("plannedSpecs", () => {
  it("has the specs that a dry run comes to", () => {
    const report = reportOf([
      { ...dns, LeafNodeType: "ReportBeforeSuite", LeafNodeText: "", State: "passed" },
      { ...dns, LeafNodeText: "should provide DNS for services", State: "passed", NumAttempts: 0 },
      { ...dns, LeafNodeText: "should provide DNS for pods", State: "skipped", NumAttempts: 0 },
    ]);
    expect(plannedSpecs(report)).toEqual(["[sig-network] DNS should provide DNS for services"]);
  });
});
