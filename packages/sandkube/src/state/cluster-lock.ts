import { SandkubeError } from "../errors.js";
import { errnoOf } from "../platform/files.js";
import { makeClusterDirectory } from "./cluster-directories.js";
import type { ClusterPaths } from "./cluster-paths.js";
import { acquireLock, type Lock, type LockOptions } from "./lock.js";

/** Takes a cluster's lock, making the cluster's directory when there is none. Throws E_LOCKED. */
export async function lockNewCluster(paths: ClusterPaths, options: LockOptions): Promise<Lock> {
  for (;;) {
    await makeClusterDirectory(paths);
    try {
      return await acquireLock(paths.lock, options);
    } catch (error) {
      // A `delete` that held the lock has taken the directory away: it is made anew.
      if (errnoOf(error) !== "ENOENT") throw error;
    }
  }
}

/** Takes the lock of a cluster that exists. Throws E_LOCKED or E_CLUSTER_NOT_FOUND. */
export async function lockExistingCluster(
  paths: ClusterPaths,
  name: string,
  options: LockOptions,
): Promise<Lock> {
  try {
    return await acquireLock(paths.lock, options);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") throw clusterNotFound(name, paths);
    throw error;
  }
}

/** There is no cluster of that name. */
export function clusterNotFound(name: string, paths: ClusterPaths): SandkubeError {
  return new SandkubeError("E_CLUSTER_NOT_FOUND", `there is no cluster ${name}`, {
    hint: "`sandkube up` creates it; `sandkube list` shows those that there are.",
    details: { directory: paths.directory },
  });
}
