import { randomBytes } from "node:crypto";
import * as fs from "node:fs/promises";
import { z } from "zod";
import { SandkubeError } from "../errors.js";
import { deadlineIn, sleep } from "../platform/clock.js";
import { errnoOf, readFileIfExists } from "../platform/files.js";
import { identifySelf, isRunning, type ProcessIdentity } from "../platform/process-identity.js";

const holderSchema = z.object({ pid: z.number().int(), startTicks: z.number().int() });

/** Stands for the holder of a lock file that can not be read. */
const nobody: ProcessIdentity = { pid: 0, startTicks: 0 };

const pollIntervalMs = 50;

export interface LockOptions {
  /** How long to wait for another holder; 0 fails at once. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** Called when the lock is found held, with its holder, at each look. */
  onWait?: (holder: ProcessIdentity) => void;
}

/** A held lock; disposing releases it. */
export interface Lock extends AsyncDisposable {
  release(): Promise<void>;
}

/**
 * Takes the lock that a file stands for. The file names its holder; the lock of a
 * holder that has ended is taken over. Throws E_LOCKED, naming the holder, when the
 * limit passes; a missing directory is an ENOENT error.
 */
export async function acquireLock(file: string, options: LockOptions): Promise<Lock> {
  const self = await identifySelf();
  const deadline = deadlineIn(options.timeoutMs);
  for (;;) {
    options.signal?.throwIfAborted();
    if (await claim(file, self)) return heldLock(file, self);
    const holder = await readHolder(file);
    if (holder === null) continue;
    if (!(await isRunning(holder))) {
      if (await takeOver(file, holder, self, options)) return heldLock(file, self);
      continue;
    }
    if (deadline.passed()) throw lockedError(file, holder, options.timeoutMs);
    options.onWait?.(holder);
    await sleep(pollIntervalMs, options.signal);
  }
}

/**
 * Makes the lock file with its content in one step. A hard link to a complete file is
 * exclusive like O_EXCL, and no other process can meet the file half-written.
 */
async function claim(file: string, self: ProcessIdentity): Promise<boolean> {
  const temporary = await writeClaim(file, self);
  try {
    await fs.link(temporary, file);
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    await fs.rm(temporary, { force: true });
  }
}

async function writeClaim(file: string, self: ProcessIdentity): Promise<string> {
  const temporary = `${file}.${self.pid}-${randomBytes(4).toString("hex")}`;
  await fs.writeFile(temporary, `${JSON.stringify(self)}\n`, { mode: 0o600, flag: "wx" });
  return temporary;
}

/**
 * Replaces a dead holder's claim. Several processes may try at once, so the look and
 * the replacement happen under a second lock of the same kind that belongs to this
 * dead holder; the first of them wins, the others then see a live holder.
 */
async function takeOver(
  file: string,
  dead: ProcessIdentity,
  self: ProcessIdentity,
  options: LockOptions,
): Promise<boolean> {
  const guardFile = `${file}.after-${dead.pid}-${dead.startTicks}`;
  await using _guard = await acquireLock(guardFile, { ...options, timeoutMs: 5_000 });
  const holder = await readHolder(file);
  if (holder === null || !isSame(holder, dead)) return false;
  await fs.rename(await writeClaim(file, self), file);
  return true;
}

async function readHolder(file: string): Promise<ProcessIdentity | null> {
  const text = await readFileIfExists(file);
  if (text === null) return null;
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return nobody;
  }
}

function isSame(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.startTicks === b.startTicks;
}

function heldLock(file: string, self: ProcessIdentity): Lock {
  // The directory may have been removed, and another process may have made it and its lock anew.
  const release = async () => {
    const holder = await readHolder(file);
    if (holder !== null && isSame(holder, self)) await fs.rm(file, { force: true });
  };
  return { release, [Symbol.asyncDispose]: release };
}

function lockedError(file: string, holder: ProcessIdentity, timeoutMs: number): SandkubeError {
  return new SandkubeError(
    "E_LOCKED",
    `process ${holder.pid} is working on the cluster${timeoutMs > 0 ? ` and has not ended within ${timeoutMs / 1000} s` : ""}`,
    {
      hint: "Wait for it to end, or end it, and try again.",
      details: { pid: holder.pid, lock: file },
    },
  );
}
