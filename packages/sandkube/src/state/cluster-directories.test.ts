import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { exists } from "../platform/files.js";
import { temporaryDirectory } from "../platform/testing/temporary-directory.js";
import {
  clusterNames,
  makeClusterDirectory,
  removeClusterContents,
  removeClusterDirectory,
} from "./cluster-directories.js";
import { clusterPaths, failedLogsDirectory } from "./cluster-paths.js";

test("a cluster's directory is private", async () => {
  const paths = clusterPaths(join(await temporaryDirectory(), "data"), "one");
  await makeClusterDirectory(paths);
  expect((await fs.stat(paths.directory)).mode & 0o777).toBe(0o700);
});

test("only directories with a cluster's name are clusters", async () => {
  const data = await temporaryDirectory();
  await makeClusterDirectory(clusterPaths(data, "one"));
  await fs.mkdir(failedLogsDirectory(data, "one"));
  await fs.mkdir(join(data, ".deleting-one-12345678"));
  await fs.writeFile(join(data, "file"), "");
  expect(await clusterNames(data)).toEqual(["one"]);
});

test("removing the last cluster removes the data directory and what a killed delete has left", async () => {
  const data = join(await temporaryDirectory(), "data");
  await makeClusterDirectory(clusterPaths(data, "one"));
  await makeClusterDirectory(clusterPaths(data, "two"));
  await fs.mkdir(join(data, ".deleting-two-12345678", "etcd"), { recursive: true });
  await removeClusterDirectory(data, "one");
  expect(await clusterNames(data)).toEqual(["two"]);
  await removeClusterDirectory(data, "two");
  expect(await exists(data)).toBe(false);
});

test("a cluster's contents can be removed under its lock", async () => {
  const paths = clusterPaths(await temporaryDirectory(), "one");
  await makeClusterDirectory(paths);
  await fs.writeFile(paths.lock, "held");
  await fs.writeFile(paths.kubeconfig, "old");
  await removeClusterContents(paths);
  expect((await fs.readdir(paths.directory)).toSorted()).toEqual(["lock", "logs"]);
});

test("a data directory whose sockets would have too long a path is refused", () => {
  expect(() => clusterPaths(`/${"x".repeat(60)}`, "one")).not.toThrow();
  expect(() => clusterPaths(`/${"x".repeat(90)}`, "one")).toThrow("too long a path");
});

test.each(["", "Upper", "-a", "a/b", "..", "x".repeat(33)])(
  "%j is not a cluster's name",
  (name) => {
    expect(() => clusterPaths("/data", name)).toThrow("is not a cluster name");
  },
);
