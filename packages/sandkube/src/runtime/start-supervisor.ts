import { SandkubeError } from "../errors.js";
import { deadlineIn, sleep } from "../platform/clock.js";
import { tailOf } from "../platform/files.js";
import { shellExitCode, spawnDetached, type ExitStatus } from "../platform/processes.js";
import type { ClusterPaths } from "../state/cluster-paths.js";
import type { Programs } from "./locate-programs.js";
import { SupervisorClient } from "./supervisor-client.js";

const pollIntervalMs = 20;

/** How long the supervisor may take to make its keys, write the kubeconfigs and listen. */
const startTimeoutMs = 20_000;

/**
 * Starts a cluster's supervisor, in a session of its own, from the node spec in the
 * cluster's directory; resolves once its control socket answers. Throws E_START with
 * the supervisor's last output when it ends before that, E_TIMEOUT when it hangs.
 */
export async function startSupervisor(
  programs: Programs,
  paths: ClusterPaths,
  signal?: AbortSignal,
): Promise<SupervisorClient> {
  signal?.throwIfAborted();
  const log = paths.log("supervisor");
  const supervisor = await spawnDetached(
    programs.path("sandkube-supervisor"),
    ["run", "--spec", paths.nodeSpec],
    { outputFile: log, workingDirectory: paths.directory },
  );
  const client = new SupervisorClient(paths.controlSocket);
  const deadline = deadlineIn(startTimeoutMs);
  for (;;) {
    if (await client.isAlive(signal)) return client;
    const ended = supervisor.exitStatus();
    if (ended !== null) throw await earlyExit(ended, log);
    if (deadline.passed()) {
      throw new SandkubeError(
        "E_TIMEOUT",
        `the supervisor has not opened its control socket within ${startTimeoutMs / 1000} s`,
        { details: { role: "supervisor", log, output: await tailOf(log, 10) } },
      );
    }
    await sleep(pollIntervalMs, signal);
  }
}

async function earlyExit(status: ExitStatus, log: string): Promise<SandkubeError> {
  const output = await tailOf(log, 10);
  const reason = output.at(-1);
  return new SandkubeError(
    "E_START",
    `the supervisor ended with exit code ${shellExitCode(status)}${reason ? `: ${reason}` : ""}`,
    { details: { role: "supervisor", ...status, log, output } },
  );
}
