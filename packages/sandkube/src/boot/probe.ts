import { dirname } from "node:path";
import { SandkubeError } from "../errors.js";
import { exists } from "../platform/files.js";
import { runCommand } from "../platform/processes.js";
import type { Programs } from "../runtime/locate-programs.js";
import { parseFacts, type Facts } from "../sandbox/facts.js";

/** Each of some fifty facts is tried for at most two seconds, most of them at once. */
const probeTimeoutMs = 120_000;

/**
 * Tries what the sandbox allows. Leaves nothing behind, also when aborted; a data
 * directory that does not exist stands for the nearest parent that does.
 */
export async function probe(
  programs: Programs,
  dataDirectory: string,
  signal?: AbortSignal,
): Promise<Facts> {
  const directory = await nearestExisting(dataDirectory);
  const result = await runCommand(programs.path("sandkube-oci"), ["probe", "--data", directory], {
    timeoutMs: probeTimeoutMs,
    signal,
  });
  if (result.exitCode === 0) return parseFacts(result.stdout);
  const reason = result.timedOut
    ? `it has not ended within ${probeTimeoutMs / 1000} s`
    : result.stderr.trim() || `it ended with ${result.exitCode ?? result.signal}`;
  throw new SandkubeError("E_SANDBOX", `the sandbox can not be probed: ${reason}`, {
    details: { exitCode: result.exitCode, signal: result.signal, stderr: result.stderr },
  });
}

async function nearestExisting(directory: string): Promise<string> {
  const parent = dirname(directory);
  return parent === directory || (await exists(directory))
    ? directory
    : await nearestExisting(parent);
}
