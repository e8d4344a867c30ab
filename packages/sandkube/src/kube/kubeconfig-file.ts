import * as fs from "node:fs/promises";
import { dirname } from "node:path";
import { SandkubeError } from "../errors.js";
import { deadlineIn, sleep } from "../platform/clock.js";
import {
  errnoOf,
  makePrivateDirectory,
  readFileIfExists,
  writeFileAtomically,
} from "../platform/files.js";
import { identifySelf, isRunning } from "../platform/process-identity.js";
import { z } from "zod";

const lockTimeoutMs = 10_000;
const pollIntervalMs = 50;
const holderSchema = z.object({ pid: z.number().int(), startTicks: z.number().int() });

/**
 * Replaces the content of a user's kubeconfig in one step, under the lock file that kubectl uses too.
 * `change` gets the present text, empty when there is no file, and gives the new one, or null to leave
 * it as it is. Says whether the file was written. Throws E_LOCKED or E_CONFIG.
 */
export async function changeKubeconfigFile(
  path: string,
  change: (text: string) => string | null,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    await makePrivateDirectory(dirname(path));
    // A link, as dotfile managers make them, stays a link.
    const file = await fs.realpath(path).catch(() => path);
    await using _lock = await lock(`${file}.lock`, signal);
    const text = await readFileIfExists(file);
    const changed = change(text ?? "");
    if (changed === null || changed === text) return false;
    const mode = text === null ? 0o600 : (await fs.stat(file)).mode & 0o777;
    await writeFileAtomically(file, changed, mode);
    return true;
  } catch (error) {
    if (error instanceof SandkubeError || errnoOf(error) === undefined) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new SandkubeError("E_CONFIG", `the kubeconfig ${path} can not be changed: ${reason}`, {
      hint: "Name another file with --file or KUBECONFIG.",
      details: { file: path, errno: errnoOf(error) },
      cause: error,
    });
  }
}

/** kubectl's lock is a file that exists; ours names its holder, so that a killed one is recognised. */
async function lock(file: string, signal?: AbortSignal): Promise<AsyncDisposable> {
  const self = JSON.stringify(await identifySelf());
  const deadline = deadlineIn(lockTimeoutMs);
  for (;;) {
    try {
      await fs.writeFile(file, self, { flag: "wx", mode: 0o600 });
      return { [Symbol.asyncDispose]: () => fs.rm(file, { force: true }) };
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
    }
    if (await isAbandoned(file)) {
      await fs.rm(file, { force: true });
      continue;
    }
    if (deadline.passed()) {
      throw new SandkubeError(
        "E_LOCKED",
        `another program has been changing the kubeconfig for ${lockTimeoutMs / 1000} s: ${file} is there`,
        { hint: "Remove that file if no such program runs.", details: { lock: file } },
      );
    }
    await sleep(pollIntervalMs, signal);
  }
}

async function isAbandoned(file: string): Promise<boolean> {
  const text = await readFileIfExists(file);
  if (text === null) return false;
  try {
    return !(await isRunning(holderSchema.parse(JSON.parse(text))));
  } catch {
    return false;
  }
}
