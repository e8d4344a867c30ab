import { existsSync } from "node:fs";
import { chmod, copyFile, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockCache } from "./build-lock.js";
import { ProgramCache } from "./program-cache.js";
import { readVersions } from "./versions.js";

let base: string;
let cache: ProgramCache;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "sandkube-cache-"));
  cache = new ProgramCache(base);
  await cache.create();
});

afterEach(async () => {
  await rm(base, { recursive: true });
});

/** Assembles a directory of one program and lets it look as if last used at `usedAt` seconds. */
async function assemble(key: string, usedAt: number): Promise<string> {
  const part = cache.part("tool", key);
  await writeFile(part, `content of ${key}`);
  const directory = await cache.assemble(key, readVersions(), "x64", new Map([["tool", part]]));
  await utimes(directory, usedAt, usedAt);
  return directory;
}

test("an assembled directory is found and lists digests", async () => {
  expect(await cache.find("a")).toBeNull();
  const directory = await assemble("a", 1);
  expect(await cache.find("a")).toBe(directory);
  const manifest = JSON.parse(await readFile(join(directory, "programs.json"), "utf8")) as unknown;
  expect(manifest).toMatchObject({
    ...readVersions(),
    architecture: "x64",
    files: {
      tool: {
        sha256: "8e56b639882ef91f67c597965dfb451cbd2e4b41d1a8cd9b01dd3241aa518796",
        sizeBytes: 12,
      },
    },
  });
});

test("pruning keeps the three used last and their parts", async () => {
  const directories = await Promise.all(
    ["a", "b", "c", "d"].map((key, index) => assemble(key, index + 1)),
  );
  await cache.prune(new Set());
  expect(directories.map(existsSync)).toEqual([false, true, true, true]);
  expect(["a", "b"].map((key) => existsSync(cache.part("tool", key)))).toEqual([false, true]);
});

test("pruning keeps what was used lately", async () => {
  const nowSeconds = Date.now() / 1000;
  const keys = ["a", "b", "c", "d", "e"];
  const directories = await Promise.all(keys.map((key) => assemble(key, nowSeconds)));
  await cache.prune(new Set());
  expect(directories.map(existsSync)).toEqual([true, true, true, true, true]);
});

test("pruning keeps a part that is named", async () => {
  const part = cache.part("builder", "x");
  await writeFile(part, "");
  await cache.prune(new Set([part]));
  expect(existsSync(part)).toBe(true);
  await cache.prune(new Set());
  expect(existsSync(part)).toBe(false);
});

test("pruning keeps a directory from which a program runs", async () => {
  const part = cache.part("sleep", "old");
  await copyFile("/bin/sleep", part);
  await chmod(part, 0o755);
  const directory = await cache.assemble("old", readVersions(), "x64", new Map([["sleep", part]]));
  await utimes(directory, 1, 1);
  for (const key of ["a", "b", "c"]) await assemble(key, 2);
  const running = spawn(join(directory, "sleep"), ["60"]);
  await once(running, "spawn");
  try {
    await cache.prune(new Set());
    expect(existsSync(directory)).toBe(true);
  } finally {
    running.kill();
    await once(running, "exit");
  }
  await cache.prune(new Set());
  expect(existsSync(directory)).toBe(false);
});

test("the second to lock waits for the first", async () => {
  const order: string[] = [];
  const first = await lockCache(cache.lockFile, () => order.push("first waits"));
  const second = lockCache(cache.lockFile, () => {
    order.push("second waits");
    void first[Symbol.asyncDispose]();
  });
  await (await second)[Symbol.asyncDispose]();
  expect(order).toEqual(["second waits"]);
});
