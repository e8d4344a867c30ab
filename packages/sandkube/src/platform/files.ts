import { createHash, randomBytes } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { pipeline } from "node:stream/promises";

/** The errno name (`ENOENT`, `EACCES`, ...) of a file system or socket error, if it is one. */
export function errnoOf(error: unknown): string | undefined {
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    return error.code;
  }
  return undefined;
}

/**
 * Makes a directory that only its owner can enter, with its parents. Gives the topmost
 * one that had to be made; null when the directory existed.
 */
export async function makePrivateDirectory(directory: string): Promise<string | null> {
  try {
    return (await fs.mkdir(directory, { recursive: true, mode: 0o700 })) ?? null;
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    // Node takes a read-only file system for a missing parent: the plain call tells which it is.
    await fs.mkdir(await topmostMissing(directory), { mode: 0o700 });
    throw error;
  }
}

async function topmostMissing(directory: string): Promise<string> {
  const parent = path.dirname(directory);
  return parent === directory || (await exists(parent)) ? directory : await topmostMissing(parent);
}

/**
 * Replaces a file's content in one step: a reader, or a crash at any moment, meets
 * the old content or the new, never a part.
 */
export async function writeFileAtomically(
  file: string,
  content: string,
  mode = 0o600,
): Promise<void> {
  const temporary = path.join(
    path.dirname(file),
    `.${path.basename(file)}.${randomBytes(6).toString("hex")}.tmp`,
  );
  try {
    const handle = await fs.open(temporary, "wx", mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(temporary, file);
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw error;
  }
}

/** Writes a value as indented JSON, atomically, readable by its owner only. */
export async function writeJsonAtomically(file: string, value: unknown): Promise<void> {
  await writeFileAtomically(file, `${JSON.stringify(value, null, 2)}\n`);
}

/** Reads a file; null when it does not exist. */
export async function readFileIfExists(file: string): Promise<string | null> {
  try {
    return await fs.readFile(file, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw error;
  }
}

/** Whether something exists at a path; a dangling symbolic link does not. */
export async function exists(file: string): Promise<boolean> {
  try {
    await fs.access(file);
    return true;
  } catch {
    return false;
  }
}

/** Whether a path is a file that this process may execute. */
export async function isExecutable(file: string): Promise<boolean> {
  try {
    await fs.access(file, constants.X_OK);
    return (await fs.stat(file)).isFile();
  } catch {
    return false;
  }
}

/** Size of a file in bytes; null when it does not exist. */
export async function sizeOf(file: string): Promise<number | null> {
  try {
    return (await fs.stat(file)).size;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw error;
  }
}

/** SHA-256 of a file's content, in hexadecimal. Throws when it can not be read. */
export async function sha256OfFile(file: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), hash, {
    ...(signal ? { signal } : {}),
  });
  return hash.digest("hex");
}

/** Names of the directories in a directory, sorted; empty when it does not exist. */
export async function directoriesIn(directory: string): Promise<string[]> {
  try {
    const entries = await fs.readdir(directory, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .toSorted();
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** Removes a file or a whole directory; it is no error when there is none. */
export async function removeTree(target: string): Promise<void> {
  await fs.rm(target, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

/** Removes a directory if it is empty; says whether it is gone. */
export async function removeDirectoryIfEmpty(directory: string): Promise<boolean> {
  try {
    await fs.rmdir(directory);
    return true;
  } catch (error) {
    return errnoOf(error) === "ENOENT";
  }
}

/** The last `count` lines of a file, read from its end; empty when it does not exist. */
export async function tailOf(file: string, count: number, maxBytes = 64 * 1024): Promise<string[]> {
  let handle;
  try {
    handle = await fs.open(file, "r");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, maxBytes);
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await handle.read(buffer, 0, length, size - length);
    const lines = buffer.subarray(0, bytesRead).toString("utf8").split("\n");
    if (lines.at(-1) === "") {
      lines.pop();
    }
    if (length < size) {
      lines.shift();
    }
    return lines.slice(-count);
  } finally {
    await handle.close();
  }
}
