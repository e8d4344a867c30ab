import type { Sandbox } from "../../lab/src/index.js";

const limitMs = 60_000;
const bytesPerKiB = 1024;

/**
 * Memory in use in a whole sandbox, in bytes, as free(1) says inside: all processes, tmpfs and the
 * files that are mapped. gVisor counts the pages that it really holds there (pkg/sentry/pgalloc), so
 * this does not rise with the size of its allocations. Null on the bare kernel, where it is the
 * machine's.
 */
export async function readUsedBytes(sandbox: Sandbox, signal: AbortSignal): Promise<number | null> {
  if (sandbox.kind === "bare") return null;
  const options = { signal, timeoutMs: limitMs };
  const { exitCode, stdout, stderr } = await sandbox.exec(["cat", "/proc/meminfo"], options);
  if (exitCode !== 0) throw new Error(`reading /proc/meminfo: ${stderr}`);
  return usedBytes(stdout);
}

/** Total less free memory, from the text of /proc/meminfo (proc(5)). */
export function usedBytes(meminfo: string): number {
  const kibibytes = (field: string): number => {
    const value = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(meminfo)?.[1];
    if (value === undefined) throw new Error(`/proc/meminfo has no ${field}`);
    return Number(value);
  };
  return (kibibytes("MemTotal") - kibibytes("MemFree")) * bytesPerKiB;
}
