import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cached, cacheRoot, entryPath } from "./cache.js";

const recipe = { form: 1, from: "test" };
const deadTag = "4194999-0";

async function failHalfWay(directory: string): Promise<void> {
  await writeFile(join(directory, "half"), "");
  throw new Error("no space");
}

describe("cached", () => {
  let home: string;
  const { signal } = new AbortController();

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "lab-cache-"));
    vi.stubEnv("XDG_CACHE_HOME", home);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(home, { recursive: true });
  });

  it("builds once for all who ask at the same time", async () => {
    let builds = 0;
    const build = async (directory: string): Promise<void> => {
      builds += 1;
      await writeFile(join(directory, "file"), `build ${builds}`);
    };
    const wanted = [1, 2, 3].map(() => cached({ name: "entry", recipe, signal, build }));
    const [first = "", ...others] = await Promise.all(wanted);
    expect(new Set(others)).toEqual(new Set([first]));
    expect(await readFile(join(first, "file"), "utf8")).toBe("build 1");
    expect(await readdir(cacheRoot())).toHaveLength(1);
  });

  it("leaves nothing of a build that failed", async () => {
    const options = { name: "entry", recipe, signal, build: failHalfWay };
    await expect(cached(options)).rejects.toThrow("no space");
    expect(await readdir(cacheRoot())).toEqual([]);
  });

  it("takes over from a build that was killed", async () => {
    const entry = entryPath("entry", recipe);
    await mkdir(`${entry}.building.${deadTag}`, { recursive: true });
    await writeFile(`${entry}.lock`, deadTag);
    await cached({ name: "entry", recipe, signal, build: async () => undefined });
    expect(existsSync(entry)).toBe(true);
    expect(await readdir(cacheRoot())).toHaveLength(1);
  });

  it("keeps recipes apart", () => {
    expect(entryPath("entry", recipe)).not.toBe(entryPath("entry", { ...recipe, form: 2 }));
  });
});
