import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makePrivateDirectory } from "../platform/files.js";
import { clusterPaths, type ClusterPaths } from "../state/cluster-paths.js";
import { chooseImagesDirectory, tellImagesDirectoryUnchanged } from "./images-directory.js";

let dataDirectory: string;
let paths: ClusterPaths;

beforeEach(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), "sandkube-images-"));
  paths = clusterPaths(dataDirectory, "test");
  await makePrivateDirectory(paths.directory);
});

afterEach(async () => {
  await rm(dataDirectory, { recursive: true });
});

test("a named directory is remembered until another one is named", async () => {
  const [first, second] = [join(dataDirectory, "first"), join(dataDirectory, "second")];
  for (const directory of [first, second]) {
    await mkdir(directory);
    const options = { dataDirectory, imagesDirectory: directory };
    expect(await chooseImagesDirectory(options, paths)).toBe(directory);
    expect(await chooseImagesDirectory({ dataDirectory }, paths)).toBe(directory);
  }
  await rm(second, { recursive: true });
  await expect(chooseImagesDirectory({ dataDirectory }, paths)).rejects.toMatchObject({
    code: "E_CONFIG",
    message: expect.stringContaining(second),
  });
});

test("what is no directory is refused, and forgotten", async () => {
  const file = join(dataDirectory, "file");
  await writeFile(file, "");
  const options = { dataDirectory, imagesDirectory: file };
  await expect(chooseImagesDirectory(options, paths)).rejects.toMatchObject({ code: "E_CONFIG" });
  const usual = join(dataDirectory, "images");
  await mkdir(usual);
  expect(await chooseImagesDirectory({ dataDirectory }, paths)).toBe(usual);
});

test.each([
  [undefined, 0],
  ["/a", 0],
  ["/b", 1],
])("a running cluster that has /a tells of %s %d times", (imagesDirectory, times) => {
  const messages: string[] = [];
  tellImagesDirectoryUnchanged({ imagesDirectory }, "/a", (event) => {
    if (event.type === "warning") messages.push(event.message);
  });
  expect(messages).toHaveLength(times);
});
