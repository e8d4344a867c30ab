import { SandkubeError } from "../errors.js";
import type { SupervisorEvent } from "../events.js";
import { exists } from "../platform/files.js";
import { runCommand } from "../platform/processes.js";
import type { ClusterPaths } from "../state/cluster-paths.js";
import { killLeftoverProcesses } from "./leftover-processes.js";
import type { Programs } from "./locate-programs.js";
import { SupervisorClient } from "./supervisor-client.js";

/** What the supervisor may need beyond the pods' grace: containerd, the control plane, host-restore. */
const shutdownAllowanceMs = 60_000;
/** Between the supervisor's last event and its end. */
const exitAllowanceMs = 3_000;
const restoreTimeoutMs = 30_000;

export interface StopOptions {
  /** How long pods may take to end, in milliseconds. */
  graceMs: number;
  signal?: AbortSignal | undefined;
  onEvent?: (event: SupervisorEvent) => void;
}

/**
 * Ends every process of a cluster and puts back what it changed outside its directory.
 * A live supervisor does that itself; after a dead one it is done from here. Throws
 * E_STATE when something is left.
 */
export async function stopRuntime(
  locate: () => Promise<Programs>,
  paths: ClusterPaths,
  options: StopOptions,
): Promise<void> {
  const limit = AbortSignal.timeout(options.graceMs + shutdownAllowanceMs);
  const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
  let patienceMs = 0;
  try {
    const client = new SupervisorClient(paths.controlSocket);
    for await (const event of client.stop(options.graceMs, signal)) {
      options.onEvent?.(event);
      if (event.type === "stopped") patienceMs = exitAllowanceMs;
    }
  } catch (error) {
    // A supervisor that does not end is killed below, with all of its roles.
    if (!limit.aborted) throw error;
  }
  const leftovers = await killLeftoverProcesses(paths, patienceMs);
  if (leftovers.length > 0) {
    const pids = leftovers.map((process) => process.pid).join(", ");
    throw new SandkubeError("E_STATE", `processes of the cluster can not be ended: ${pids}`, {
      hint: "Run the command again as the user that started the cluster.",
      details: { pids: leftovers.map((process) => process.pid) },
    });
  }
  if (await exists(paths.hostRecord)) await restoreHost(await locate(), paths, options.signal);
}

/** Takes away links and cgroups, as host-setup has recorded them. */
async function restoreHost(
  programs: Programs,
  paths: ClusterPaths,
  signal: AbortSignal | undefined,
): Promise<void> {
  const result = await runCommand(
    programs.path("sandkube-oci"),
    ["host-restore", "--spec", paths.nodeSpec],
    { timeoutMs: restoreTimeoutMs, signal },
  );
  if (result.exitCode === 0) return;
  throw new SandkubeError(
    "E_STATE",
    `what the cluster changed in the sandbox can not be put back: ${result.stderr.trim() || `host-restore ended with ${result.exitCode ?? result.signal}`}`,
    { hint: `${paths.hostRecord} says what it is.`, details: { stderr: result.stderr } },
  );
}
