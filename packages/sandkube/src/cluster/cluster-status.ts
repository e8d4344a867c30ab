import type { SupervisorStatus } from "../runtime/supervisor-status.js";
import { SupervisorClient } from "../runtime/supervisor-client.js";
import { clusterNotFound } from "../state/cluster-lock.js";
import { clusterNames } from "../state/cluster-directories.js";
import { clusterPaths } from "../state/cluster-paths.js";
import { readClusterRecord, type ClusterSettings } from "../state/cluster-record.js";
import { exists } from "../platform/files.js";
import { SandkubeError } from "../errors.js";
import { surroundingsOf, type ClusterReference, type SurroundingsOptions } from "./surroundings.js";

/**
 * What a cluster is doing. `starting`: an `up` is bringing it up; `unfinished`: an `up`
 * was killed before its end, the next one recovers.
 */
export type ClusterState = "running" | "starting" | "stopping" | "stopped" | "unfinished";

export interface ClusterStatus {
  name: string;
  state: ClusterState;
  /** Absolute path of the directory that holds all of the cluster's state. */
  directory: string;
  /** The version of sandkube that made the cluster; null while it is unfinished. */
  version: string | null;
  /** RFC 3339. */
  createdAt: string | null;
  settings: ClusterSettings | null;
  kubeconfigPath: string;
  /** The roles as the supervisor sees them; null when no supervisor runs. */
  runtime: SupervisorStatus | null;
}

/** The state of a cluster and of each of its roles. Throws E_CLUSTER_NOT_FOUND or E_STATE. */
export async function clusterStatus(
  options: ClusterReference & { signal?: AbortSignal | undefined } = {},
): Promise<ClusterStatus> {
  const { dataDirectory, clusterName: name } = surroundingsOf(options);
  const paths = clusterPaths(dataDirectory, name);
  if (!(await exists(paths.directory))) throw clusterNotFound(name, paths);
  const record = await readClusterRecord(paths);
  const runtime = await new SupervisorClient(paths.controlSocket).status(options.signal);
  return {
    name,
    state: stateOf(runtime, record?.completedAt ?? null),
    directory: paths.directory,
    version: record?.version ?? null,
    createdAt: record?.createdAt ?? null,
    settings: record?.settings ?? null,
    kubeconfigPath: paths.kubeconfig,
    runtime,
  };
}

function stateOf(runtime: SupervisorStatus | null, completedAt: string | null): ClusterState {
  if (runtime?.stopping) return "stopping";
  if (runtime !== null) return completedAt === null ? "starting" : "running";
  return completedAt === null ? "unfinished" : "stopped";
}

/** A cluster of the data directory; one whose state can not be read has an `error` instead. */
export type ListedCluster =
  | { name: string; status: ClusterStatus; error: null }
  | { name: string; status: null; error: SandkubeError };

/** All clusters of the data directory, by name. */
export async function listClusters(
  options: SurroundingsOptions & { signal?: AbortSignal | undefined } = {},
): Promise<ListedCluster[]> {
  const { dataDirectory } = surroundingsOf(options);
  const listed: ListedCluster[] = [];
  for (const name of await clusterNames(dataDirectory)) {
    try {
      const status = await clusterStatus({ ...options, name });
      listed.push({ name, status, error: null });
    } catch (error) {
      options.signal?.throwIfAborted();
      listed.push({ name, status: null, error: SandkubeError.from(error) });
    }
  }
  return listed;
}
