import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { exists } from "../platform/files.js";
import { temporaryDirectory } from "../platform/testing/temporary-directory.js";
import { makeDataDirectory, removeUnusedDataDirectory } from "./data-directory.js";

test("an unused data directory goes with the parents that were made for it, and only those", async () => {
  const home = await temporaryDirectory();
  const data = join(home, ".local", "share", "sandkube");
  await makeDataDirectory(data);
  await makeDataDirectory(data);
  expect((await fs.stat(data)).mode & 0o777).toBe(0o700);
  await removeUnusedDataDirectory(data);
  expect(await fs.readdir(home)).toEqual([]);
});

test("a parent that somebody else uses by now stays", async () => {
  const home = await temporaryDirectory();
  const data = join(home, ".local", "share", "sandkube");
  await makeDataDirectory(data);
  await fs.mkdir(join(home, ".local", "bin"));
  await removeUnusedDataDirectory(data);
  expect(await fs.readdir(join(home, ".local"))).toEqual(["bin"]);
});

test("a parent that was there before stays, though it is empty", async () => {
  const home = await temporaryDirectory();
  await makeDataDirectory(join(home, "sandkube"));
  await removeUnusedDataDirectory(join(home, "sandkube"));
  expect(await exists(home)).toBe(true);
  expect(await fs.readdir(home)).toEqual([]);
});

test("a data directory with a cluster in it stays", async () => {
  const data = join(await temporaryDirectory(), "a", "b");
  await makeDataDirectory(data);
  await fs.mkdir(join(data, "default"));
  await removeUnusedDataDirectory(data);
  expect(await exists(join(data, "default"))).toBe(true);
  await removeUnusedDataDirectory(join(data, "missing"));
});
