import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { requireOnHost } from "../lab/src/host-command.js";

const shared = "/dev/shm";
const megabytes = 2_000;
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
