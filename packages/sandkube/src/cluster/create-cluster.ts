import * as fs from "node:fs/promises";
import { up } from "../boot/up.js";
import type { ClusterOptionsInput } from "../config/cluster-options.js";
import type { ProgressListener } from "../events.js";
import { parsePublication } from "../kube/publications.js";
import { Cluster, type BootReport } from "./cluster.js";
import { surroundingsOf } from "./surroundings.js";

/** The options of `createCluster`; every one has a default. */
export interface CreateClusterOptions extends Partial<ClusterOptionsInput> {
  /** Absolute path of the directory of sandkube's programs. */
  programsDirectory?: string | undefined;
  /** Ports of Services to publish, each as `HOST-PORT:NAMESPACE/SERVICE:PORT`; see `cluster.ports`. */
  publish?: readonly string[] | undefined;
  /** Aborting it ends the operation with E_CANCELLED, after taking back what was made. */
  signal?: AbortSignal | undefined;
  onProgress?: ProgressListener | undefined;
}

/** A handle that also knows how its cluster came up. */
export type CreatedCluster = Cluster & { readonly boot: BootReport };

/**
 * Brings a cluster to where a pod can be scheduled: creates it, resumes a stopped one, or
 * finds it running. Settings that are left out are kept from an existing cluster.
 * Throws a SandkubeError, after taking back what was made unless `retain` is set.
 */
export async function createCluster(options: CreateClusterOptions = {}): Promise<CreatedCluster> {
  const { programsDirectory, publish = [], signal, onProgress, ...input } = options;
  // A mistake is told before anything is made.
  publish.forEach(parsePublication);
  const surroundings = surroundingsOf({
    name: input.name,
    dataDirectory: input.dataDirectory,
    programsDirectory,
  });
  const result = await up({
    input: {
      ...input,
      name: surroundings.clusterName,
      dataDirectory: surroundings.dataDirectory,
    },
    programsOverride: surroundings.programsOverride,
    environment: process.env,
    signal: signal ?? new AbortController().signal,
    emit: onProgress ?? (() => {}),
  });
  const { created, wasRunning, timings } = result;
  const boot = { created, wasRunning, timings };
  const cluster = new Cluster(surroundings, {
    settings: result.record.settings,
    adaptations: result.adaptations,
    kubeconfig: await fs.readFile(result.paths.kubeconfig, "utf8"),
    boot,
  });
  if (publish.length > 0) await cluster.ports.publish(publish, signal);
  return Object.assign(cluster, { boot });
}
