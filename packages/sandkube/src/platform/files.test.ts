import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { directoriesIn, isExecutable, tailOf, writeFileAtomically } from "./files.js";
import { temporaryDirectory } from "./testing/temporary-directory.js";

test("an atomic write leaves the file, private, and nothing beside it", async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, "record.json");
  await writeFileAtomically(file, "one");
  await writeFileAtomically(file, "two");
  expect(await fs.readFile(file, "utf8")).toBe("two");
  expect((await fs.stat(file)).mode & 0o777).toBe(0o600);
  expect(await fs.readdir(directory)).toEqual(["record.json"]);
});

test("a reader meets only whole contents while a file is written over and over", async () => {
  const file = join(await temporaryDirectory(), "record");
  const contents = ["a".repeat(200_000), "b".repeat(100_000)];
  await writeFileAtomically(file, contents[0] ?? "");
  const writeOften = async () => {
    for (let round = 0; round < 40; round += 1) {
      await writeFileAtomically(file, contents[round % 2] ?? "");
    }
  };
  const readOften = async () => {
    const seen = new Set<string>();
    for (let round = 0; round < 200; round += 1) seen.add(await fs.readFile(file, "utf8"));
    return [...seen];
  };
  const [seen] = await Promise.all([readOften(), writeOften()]);
  for (const content of seen) expect(contents).toContain(content);
});

test("a failed atomic write leaves the old content and nothing beside it", async () => {
  const directory = await temporaryDirectory();
  const target = join(directory, "target");
  await fs.mkdir(join(target, "child"), { recursive: true });
  await expect(writeFileAtomically(target, "text")).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
  expect(await fs.readdir(directory)).toEqual(["target"]);
});

test("the tail of a file is its last whole lines", async () => {
  const file = join(await temporaryDirectory(), "log");
  await fs.writeFile(file, "first\nsecond\nthird\nunfinished");
  expect(await tailOf(file, 2)).toEqual(["third", "unfinished"]);
  expect(await tailOf(file, 10)).toEqual(["first", "second", "third", "unfinished"]);
  // 18 bytes reach into the middle of "second", which is left out.
  expect(await tailOf(file, 10, 18)).toEqual(["third", "unfinished"]);
  expect(await tailOf(`${file}.missing`, 10)).toEqual([]);
});

test("only a file with an executable bit is executable, not a directory", async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, "program");
  await fs.writeFile(file, "", { mode: 0o644 });
  expect(await isExecutable(file)).toBe(false);
  await fs.chmod(file, 0o755);
  expect(await isExecutable(file)).toBe(true);
  expect(await isExecutable(directory)).toBe(false);
});

test("directories are listed sorted and without files", async () => {
  const directory = await temporaryDirectory();
  await fs.mkdir(join(directory, "b"));
  await fs.mkdir(join(directory, "a"));
  await fs.writeFile(join(directory, "c"), "");
  expect(await directoriesIn(directory)).toEqual(["a", "b"]);
  expect(await directoriesIn(join(directory, "missing"))).toEqual([]);
});
