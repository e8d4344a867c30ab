import { mkdtemp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Patch } from "../../runtime/upstream/patches/patch.js";
import { applyPatches } from "./patching.js";

let vendor: string;

beforeEach(async () => {
  vendor = await mkdtemp(join(tmpdir(), "sandkube-patching-"));
  await mkdir(join(vendor, "example.org/m"), { recursive: true });
});

afterEach(async () => {
  await rm(vendor, { recursive: true });
});

const patch: Patch = {
  id: "sample",
  module: "example.org/m",
  file: "a.go",
  edits: [{ find: "if strict {", replace: "if strict && !lenient {" }],
  reason: "a test",
  upstream: "https://example.org",
  removeWhen: "never",
};

async function patched(text: string): Promise<string> {
  const file = join(vendor, "example.org/m/a.go");
  await writeFile(file, text);
  await applyPatches(vendor, [patch]);
  return await readFile(file, "utf8");
}

test("replaces the text", async () => {
  expect(await patched("x\nif strict {\ny\n")).toBe("x\nif strict && !lenient {\ny\n");
});

test.each([
  ["is gone", "x\n", 0],
  ["occurs twice", "if strict {\nif strict {\n", 2],
])("fails when the text %s", async (_, text, count) => {
  await expect(patched(text)).rejects.toThrow(
    `patch sample no longer applies: this text occurs ${count} times, not once`,
  );
});
