import * as fs from "node:fs/promises";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../platform/testing/temporary-directory.js";
import { makeClusterDirectory } from "./cluster-directories.js";
import { clusterPaths } from "./cluster-paths.js";
import { readClusterRecord, writeClusterRecord, type ClusterRecord } from "./cluster-record.js";

const record: ClusterRecord = {
  schema: 1,
  name: "default",
  version: "0.1.0",
  createdAt: "2026-01-02T03:04:05.678Z",
  completedAt: null,
  settings: {
    mode: "full",
    nodes: 2,
    apiPort: 6443,
    bindAddress: "127.0.0.1",
    kubeletPort: 10250,
    podRange: "10.42.0.0/16",
    serviceRange: "10.43.0.0/16",
  },
};

async function emptyCluster() {
  const paths = clusterPaths(await temporaryDirectory(), "default");
  await makeClusterDirectory(paths);
  return paths;
}

test("a record is read as it was written", async () => {
  const paths = await emptyCluster();
  expect(await readClusterRecord(paths)).toBeNull();
  await writeClusterRecord(paths, record);
  expect(await readClusterRecord(paths)).toEqual(record);
});

test.each([
  ["cut off", JSON.stringify(record).slice(0, 40)],
  ["empty", ""],
  ["of another shape", JSON.stringify({ ...record, schema: 2 })],
])("a record that is %s names its file and the way out", async (_what, content) => {
  const paths = await emptyCluster();
  await fs.writeFile(paths.record, content);
  await expect(readClusterRecord(paths)).rejects.toMatchObject({
    code: "E_STATE",
    message: expect.stringContaining(paths.record) as string,
    hint: expect.stringContaining("sandkube delete") as string,
  });
});
