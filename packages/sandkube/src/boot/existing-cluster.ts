import { SupervisorClient } from "../runtime/supervisor-client.js";
import type { ClusterPaths } from "../state/cluster-paths.js";
import { readClusterRecord, type ClusterRecord } from "../state/cluster-record.js";

/**
 * What an `up` finds under the cluster's name. `unfinished`: an earlier `up` was killed
 * before it reached its end, so nobody has relied on what it made.
 */
export type ExistingCluster =
  | { kind: "none" }
  | { kind: "stopped"; record: ClusterRecord }
  | { kind: "running"; record: ClusterRecord }
  | { kind: "unfinished"; record: ClusterRecord | null; running: boolean };

/** Looks at what is there; the caller holds the cluster's lock. Throws E_STATE for an unreadable record. */
export async function examineExistingCluster(
  paths: ClusterPaths,
  signal?: AbortSignal,
): Promise<ExistingCluster> {
  const record = await readClusterRecord(paths);
  const status = await new SupervisorClient(paths.controlSocket).status(signal);
  // A supervisor that is stopping, for a `down` that was killed, is of no use any more.
  const running = status !== null && !status.stopping;
  if (record === null) return running ? { kind: "unfinished", record, running } : { kind: "none" };
  if (record.completedAt === null) return { kind: "unfinished", record, running };
  return { kind: running ? "running" : "stopped", record };
}

/** An existing cluster in a few words. */
export function describeExistingCluster(existing: ExistingCluster): string {
  switch (existing.kind) {
    case "none":
      return "a new cluster";
    case "stopped":
      return "a stopped cluster, resumed";
    case "running":
      return "already running";
    case "unfinished":
      return "left unfinished by an earlier up";
  }
}
