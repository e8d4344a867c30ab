import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { LabError } from "./errors.js";
import { isTagAlive, ownTag } from "./process-identity.js";

const longestBuildMs = 30 * 60_000;

/** What a cache entry is made from: a change of any value makes another entry. */
export type Recipe = Readonly<Record<string, string | number | readonly string[]>>;

export interface CacheEntryOptions {
  /** First part of the entry's name, for people. */
  readonly name: string;
  readonly recipe: Recipe;
  readonly signal: AbortSignal;
  /** Fills the empty directory it is given; the entry appears only when this returns. */
  readonly build: (directory: string) => Promise<void>;
}

/** Where the lab keeps what is slow to make: `${XDG_CACHE_HOME:-~/.cache}/sandkube/lab`. */
export function cacheRoot(): string {
  const base = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(base, "sandkube", "lab");
}

/** The directory that holds, or will hold, the entry of this recipe. */
export function entryPath(name: string, recipe: Recipe): string {
  const key = createHash("sha256").update(JSON.stringify(recipe)).digest("hex").slice(0, 16);
  return join(cacheRoot(), `${name}-${key}`);
}

/**
 * The directory of a cache entry, built first if it is missing. A build happens beside the entry
 * and is renamed at its end, so an entry is whole or absent; of two processes that want the same
 * entry one builds and the other waits.
 */
export async function cached(options: CacheEntryOptions): Promise<string> {
  const entry = entryPath(options.name, options.recipe);
  if (existsSync(entry)) return entry;
  await mkdir(cacheRoot(), { recursive: true, mode: 0o755 });
  const release = await acquireBuildLock(entry, options.signal);
  if (release === null) return entry;
  try {
    await removeAbandonedBuilds(entry);
    const building = `${entry}.building.${ownTag()}`;
    await mkdir(building);
    try {
      await options.build(building);
      await rename(building, entry);
    } catch (error) {
      await rm(building, { recursive: true, force: true });
      throw error;
    }
  } finally {
    await release();
  }
  return entry;
}

/** Null means that another process finished the entry while this one waited. */
async function acquireBuildLock(
  entry: string,
  signal: AbortSignal,
): Promise<(() => Promise<void>) | null> {
  const lock = `${entry}.lock`;
  const deadline = Date.now() + longestBuildMs;
  while (Date.now() < deadline) {
    if (existsSync(entry)) return null;
    try {
      await writeFile(lock, ownTag(), { flag: "wx" });
      return () => rm(lock, { force: true });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    const owner = await readFile(lock, "utf8").catch(() => "");
    if (owner !== "" && !isTagAlive(owner)) await rm(lock, { force: true });
    else await delay(500, undefined, { signal });
  }
  throw new LabError("E_LAB_TIMEOUT", `waited ${longestBuildMs} ms for another build of ${entry}`);
}

async function removeAbandonedBuilds(entry: string): Promise<void> {
  const prefix = `${entry.slice(cacheRoot().length + 1)}.building.`;
  for (const name of await readdir(cacheRoot())) {
    if (!name.startsWith(prefix) || isTagAlive(name.slice(prefix.length))) continue;
    await rm(join(cacheRoot(), name), { recursive: true, force: true });
  }
}
