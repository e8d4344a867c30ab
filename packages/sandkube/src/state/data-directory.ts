import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  errnoOf,
  makePrivateDirectory,
  readFileIfExists,
  removeDirectoryIfEmpty,
  writeFileAtomically,
} from "../platform/files.js";

/** Names the topmost directory that was made for the data directory, when that is not itself. */
const originFile = ".origin";

/** Makes the data directory, and remembers which of its parents were made with it. */
export async function makeDataDirectory(dataDirectory: string): Promise<void> {
  const topmost = await makePrivateDirectory(dataDirectory);
  if (topmost === null || topmost === dataDirectory) return;
  await writeFileAtomically(join(dataDirectory, originFile), `${topmost}\n`);
}

/** Removes the data directory when no cluster is in it, and its parents that were made for it. */
export async function removeUnusedDataDirectory(dataDirectory: string): Promise<void> {
  const entries = await entriesOf(dataDirectory);
  if (entries === null || entries.some((entry) => entry !== originFile)) return;
  const topmost = (await readFileIfExists(join(dataDirectory, originFile)))?.trim();
  await fs.rm(join(dataDirectory, originFile), { force: true });
  let directory = dataDirectory;
  while ((await removeDirectoryIfEmpty(directory)) && isBelow(directory, topmost)) {
    directory = dirname(directory);
  }
}

function isBelow(directory: string, topmost: string | undefined): boolean {
  return topmost !== undefined && topmost !== "" && directory.startsWith(join(topmost, "/"));
}

async function entriesOf(directory: string): Promise<string[] | null> {
  try {
    return await fs.readdir(directory);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw error;
  }
}
