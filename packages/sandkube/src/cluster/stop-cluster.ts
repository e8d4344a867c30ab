import { SandkubeError } from "../errors.js";
import type { ProgressListener } from "../events.js";
import { takeOutEverywhere } from "../kube/kubeconfig-merges.js";
import { exists, removeTree } from "../platform/files.js";
import { stepRunner } from "../boot/step.js";
import { stopRuntime } from "../runtime/stop-runtime.js";
import { SupervisorClient } from "../runtime/supervisor-client.js";
import { removeClusterDirectory, removeDoomedDirectories } from "../state/cluster-directories.js";
import { clusterNotFound, lockExistingCluster } from "../state/cluster-lock.js";
import { clusterPaths, failedLogsDirectory } from "../state/cluster-paths.js";
import { removeUnusedDataDirectory } from "../state/data-directory.js";
import { surroundingsOf, type ClusterReference, type Surroundings } from "./surroundings.js";

/** How long pods may take to end when a cluster is stopped; the kubelet's own default for a pod. */
const stopGraceMs = 30_000;
/** The same when it is deleted, and nothing of the pods' work remains anyway. */
const deleteGraceMs = 5_000;
/** How long another command may go on working on the cluster. */
const lockTimeoutMs = 120_000;

export interface StopOptions {
  /** How long pods may take to end, in milliseconds. */
  graceMs?: number | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ProgressListener | undefined;
}

/**
 * Stops a cluster: pods first, within their grace, then the roles. All objects stay and
 * are there again after the next `up`. Also cleans up after a cluster that was killed.
 * Says whether it was running. Throws E_CLUSTER_NOT_FOUND or E_LOCKED.
 */
export async function stopCluster(
  options: ClusterReference & StopOptions = {},
): Promise<{ wasRunning: boolean }> {
  const surroundings = surroundingsOf(options);
  const { dataDirectory, clusterName } = surroundings;
  const paths = clusterPaths(dataDirectory, clusterName);
  await using _lock = await lockExistingCluster(paths, clusterName, {
    timeoutMs: lockTimeoutMs,
    signal: options.signal,
  });
  return await stopLocked(surroundings, options.graceMs ?? stopGraceMs, options);
}

/**
 * Stops a cluster and removes all that there is of it. Works also on one whose records are
 * damaged. Throws E_CLUSTER_NOT_FOUND or E_LOCKED.
 */
export async function deleteCluster(options: ClusterReference & StopOptions = {}): Promise<void> {
  const surroundings = surroundingsOf(options);
  const { dataDirectory, clusterName } = surroundings;
  const paths = clusterPaths(dataDirectory, clusterName);
  const failedLogs = failedLogsDirectory(dataDirectory, clusterName);
  const found = (await exists(paths.directory)) || (await exists(failedLogs));
  if (!found) throw clusterNotFound(clusterName, paths);
  if (await exists(paths.directory)) {
    await using _lock = await lockExistingCluster(paths, clusterName, {
      timeoutMs: lockTimeoutMs,
      signal: options.signal,
    });
    await stopLocked(surroundings, options.graceMs ?? deleteGraceMs, options);
    const emit = options.onProgress ?? (() => {});
    await takeOutEverywhere(paths, clusterName).catch((error: unknown) => {
      emit({ type: "warning", message: `${SandkubeError.from(error).message}.` });
    });
    await stepRunner(emit)({
      name: "remove",
      title: `Removing ${paths.directory}`,
      run: () => removeClusterDirectory(dataDirectory, clusterName),
    });
  }
  await removeTree(failedLogs);
  await removeDoomedDirectories(dataDirectory, clusterName);
  await removeUnusedDataDirectory(dataDirectory);
}

async function stopLocked(
  { dataDirectory, clusterName, locate }: Surroundings,
  graceMs: number,
  { signal, onProgress }: StopOptions,
): Promise<{ wasRunning: boolean }> {
  const paths = clusterPaths(dataDirectory, clusterName);
  const emit = onProgress ?? (() => {});
  const wasRunning = await new SupervisorClient(paths.controlSocket).isAlive(signal);
  await stepRunner(
    emit,
    signal,
  )({
    name: "stop",
    title: `Stopping the cluster ${clusterName}`,
    run: () =>
      stopRuntime(locate, paths, {
        graceMs,
        signal,
        onEvent: (event) => emit({ type: "runtime", event }),
      }),
    result: () => (wasRunning ? "stopped" : "was not running"),
  });
  return { wasRunning };
}
