import { expect, test } from "vitest";
import type { ClusterRecord } from "../state/cluster-record.js";
import { resolveOptions } from "./resolve-options.js";

const record: ClusterRecord = {
  schema: 1,
  name: "one",
  version: "0.1.0",
  createdAt: "2026-01-02T03:04:05.678Z",
  completedAt: "2026-01-02T03:04:15.678Z",
  settings: {
    mode: "control-plane",
    nodes: 1,
    apiPort: 7443,
    bindAddress: "127.0.0.1",
    kubeletPort: 10250,
    podRange: "10.52.0.0/16",
    serviceRange: "10.53.0.0/16",
  },
};
const reference = { name: "one", dataDirectory: "/data" };

test("what is left open is kept from the existing cluster", () => {
  expect(resolveOptions({ ...reference, apiPort: undefined }, record)).toMatchObject(
    record.settings,
  );
});

test("a new cluster gets the defaults", () => {
  expect(resolveOptions(reference, null)).toMatchObject({ mode: "node", apiPort: 6443 });
});

test("saying what the cluster is already is no conflict, nor is leaving the mode to it", () => {
  const input = { ...reference, apiPort: 7443, mode: "auto" as const };
  expect(resolveOptions(input, record)).toMatchObject({ apiPort: 7443, mode: "control-plane" });
});

test("every conflicting setting is named", () => {
  const input = { ...reference, apiPort: 6443, mode: "full" as const };
  expect(() => resolveOptions(input, record)).toThrow(
    "the cluster one exists with mode control-plane, not full; apiPort 7443, not 6443",
  );
});
