import { describe, expect, it } from "vitest";
import { SandkubeError } from "../errors.js";
import { parseClusterOptions, type ClusterOptionsInput } from "./cluster-options.js";

const dataDirectory = "/var/lib/sandkube";

function problemsOf(input: unknown): string[] {
  try {
    parseClusterOptions(input as ClusterOptionsInput);
  } catch (error) {
    if (error instanceof SandkubeError && error.code === "E_CONFIG") {
      return (error.details["problems"] as { option: string }[]).map(({ option }) => option);
    }
    throw error;
  }
  return [];
}

describe("parseClusterOptions", () => {
  it("completes the settings", () => {
    expect(parseClusterOptions({ dataDirectory })).toEqual({
      name: "default",
      mode: "node",
      nodes: 1,
      apiPort: 6443,
      bindAddress: "127.0.0.1",
      kubeletPort: 10250,
      podRange: "10.42.0.0/16",
      serviceRange: "10.43.0.0/16",
      dataDirectory,
      timeoutMs: 180_000,
      retain: false,
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ["name", { name: "Upper" }],
    ["name", { name: "-a" }],
    ["name", { name: "a".repeat(33) }],
    ["name", { name: "../x" }],
    ["mode", { mode: "half" }],
    ["nodes", { nodes: 0 }],
    ["nodes", { nodes: 10 }],
    ["nodes", { nodes: 2, mode: "control-plane" }],
    ["nodes", { nodes: 2, mode: "host-network" }],
    ["nodes", { nodes: 3, podRange: "10.42.0.0/23" }],
    ["apiPort", { apiPort: 0 }],
    ["apiPort", { apiPort: 70_000 }],
    ["apiPort", { apiPort: 1.5 }],
    ["bindAddress", { bindAddress: "localhost" }],
    ["kubeletPort", { kubeletPort: "10250" }],
    ["kubeletPort", { apiPort: 7000, kubeletPort: 7000 }],
    ["podRange", { podRange: "10.42.0.0" }],
    ["podRange", { podRange: "10.42.0.1/16" }],
    ["podRange", { podRange: "10.42.0.0/25" }],
    ["serviceRange", { serviceRange: "10.0.0.0/11" }],
    ["serviceRange", { serviceRange: "10.42.4.0/24" }],
    ["dataDirectory", { dataDirectory: "data" }],
    ["timeoutMs", { timeoutMs: 0 }],
    ["retain", { retain: "yes" }],
    ["", { colour: "red" }],
  ])("refuses a bad %s: %j", (option, settings) => {
    expect(problemsOf({ dataDirectory, ...settings })).toEqual([option]);
  });

  it("names every problem at once", () => {
    expect(problemsOf({ name: "A", apiPort: -1, podRange: "x" }).toSorted()).toEqual([
      "apiPort",
      "dataDirectory",
      "name",
      "podRange",
    ]);
  });

  it("says what is wrong in words", () => {
    expect(() => parseClusterOptions({ dataDirectory, podRange: "10.43.0.0/17" })).toThrow(
      "serviceRange 10.43.0.0/16 overlaps podRange 10.43.0.0/17",
    );
  });
});
