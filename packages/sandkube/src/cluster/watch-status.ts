import { sleep } from "../platform/clock.js";
import { clusterStatus, type ClusterStatus } from "./cluster-status.js";
import type { ClusterReference } from "./surroundings.js";

const lookIntervalMs = 500;

/**
 * The status of a cluster, now and whenever it has changed, until the signal is aborted, which throws
 * its reason. Throws E_CLUSTER_NOT_FOUND when the cluster is not there or is deleted.
 */
export async function* watchClusterStatus(
  options: ClusterReference & { signal?: AbortSignal | undefined } = {},
): AsyncGenerator<ClusterStatus> {
  let last = "";
  for (;;) {
    const status = await clusterStatus(options);
    const text = JSON.stringify(status);
    if (text !== last) yield status;
    last = text;
    await sleep(lookIntervalMs, options.signal);
  }
}
