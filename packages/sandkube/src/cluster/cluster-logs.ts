import { roleNamesOf, type RoleName } from "../events.js";
import { exists } from "../platform/files.js";
import { readLogs, type LogLine } from "../runtime/role-logs.js";
import { clusterNotFound } from "../state/cluster-lock.js";
import { clusterPaths } from "../state/cluster-paths.js";
import { numberOfNodes } from "../state/cluster-record.js";
import { surroundingsOf, type ClusterReference } from "./surroundings.js";

export interface ClusterLogsOptions extends ClusterReference {
  /** By default all of them. */
  roles?: readonly RoleName[] | undefined;
  /** At most this many of each role's last lines; by default all. */
  tail?: number | undefined;
  /** Go on with new lines as they come, until aborted. */
  follow?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** The log lines of a cluster's roles, role by role. Throws E_CLUSTER_NOT_FOUND. */
export async function* clusterLogs(options: ClusterLogsOptions = {}): AsyncGenerator<LogLine> {
  const { dataDirectory, clusterName } = surroundingsOf(options);
  const paths = clusterPaths(dataDirectory, clusterName);
  if (!(await exists(paths.directory))) throw clusterNotFound(clusterName, paths);
  yield* readLogs(paths, options.roles ?? roleNamesOf(await numberOfNodes(paths)), {
    tail: options.tail ?? Number.POSITIVE_INFINITY,
    follow: options.follow ?? false,
    signal: options.signal,
  });
}
