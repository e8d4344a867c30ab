import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { requireOnHost } from "../lab/src/host-command.js";
import { programsDirectory } from "../lab/src/checkout.js";
import { rootFilesystem } from "../lab/src/root-filesystem.js";

const shared = "/dev/shm";
/** More is no better: what has been freed last is used first. */
const megabytes = 900;
const timeoutMs = 60_000;

/**
 * Writes memory and frees it at once. The host of a virtual machine may take back what the machine
 * has not used for a while; the first use of such a page then takes longer than all else that a
 * measurement is about.
 */
export async function warmMemory(signal: AbortSignal): Promise<void> {
  const directory = await mkdtemp(join(shared, "sandkube-bench-"));
  try {
    const file = join(directory, "memory");
    const argv = ["dd", "if=/dev/zero", `of=${file}`, "bs=1M", `count=${megabytes}`, "status=none"];
    await requireOnHost(argv, { signal, timeoutMs });
  } finally {
    await rm(directory, { recursive: true });
  }
}

/**
 * Reads sandkube's programs, Node.js and what lies in the directories, so that the page cache has
 * them: a machine may drop what it has not used for a while.
 */
export async function warmPrograms(
  directories: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const own = await programsDirectory();
  const root = await rootFilesystem("bookworm", signal);
  const all = [...(own === null ? [] : [own]), join(root, "usr/local/bin/node"), ...directories];
  const readAll = 'find -L "$@" -type f -exec cat {} + >/dev/null';
  await requireOnHost(["sh", "-c", readAll, "sh", ...all], { signal, timeoutMs });
}
