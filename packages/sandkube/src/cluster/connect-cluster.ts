import { readAdaptations } from "../boot/stored-plan.js";
import { SandkubeError } from "../errors.js";
import { exists, readFileIfExists } from "../platform/files.js";
import { clusterNotFound } from "../state/cluster-lock.js";
import { clusterPaths, type ClusterPaths } from "../state/cluster-paths.js";
import { readClusterRecord } from "../state/cluster-record.js";
import { Cluster } from "./cluster.js";
import { surroundingsOf, type SurroundingsOptions } from "./surroundings.js";

/**
 * A handle on a cluster that an earlier `up` has brought up, whether it runs now or not.
 * Throws E_CLUSTER_NOT_FOUND, also for one that never came up, or E_STATE.
 */
export async function connectCluster(
  name?: string,
  options: SurroundingsOptions = {},
): Promise<Cluster> {
  const surroundings = surroundingsOf({ ...options, name });
  const paths = clusterPaths(surroundings.dataDirectory, surroundings.clusterName);
  const record = await readClusterRecord(paths);
  const kubeconfig = await readFileIfExists(paths.kubeconfig);
  if (record === null || kubeconfig === null) {
    throw await notThere(surroundings.clusterName, paths);
  }
  return new Cluster(surroundings, {
    settings: record.settings,
    adaptations: await readAdaptations(paths),
    kubeconfig,
    boot: null,
  });
}

/** There is no such cluster, or an `up` was killed before it had made one. */
async function notThere(name: string, paths: ClusterPaths): Promise<SandkubeError> {
  if (!(await exists(paths.directory))) return clusterNotFound(name, paths);
  return new SandkubeError("E_CLUSTER_NOT_FOUND", `the cluster ${name} has never come up`, {
    hint: "`sandkube up` recovers it, `sandkube delete` removes it.",
    details: { directory: paths.directory },
  });
}
