import type { BootTimings } from "../boot/wait-until-usable.js";
import { SandkubeError } from "../errors.js";
import type { SupervisorEvent } from "../events.js";
import { parseKubeconfig } from "../kube/kubeconfig.js";
import type { AppliedAdaptation } from "../plan/plan.js";
import type { AttachedProcess } from "../platform/processes.js";
import { SupervisorClient } from "../runtime/supervisor-client.js";
import { clusterPaths, type ClusterPaths } from "../state/cluster-paths.js";
import type { ClusterSettings } from "../state/cluster-record.js";
import { ClusterImages } from "./cluster-images.js";
import { ClusterPorts } from "./cluster-ports.js";
import { clusterLogs, type ClusterLogsOptions } from "./cluster-logs.js";
import { clusterStatus, type ClusterStatus } from "./cluster-status.js";
import { deleteCluster, stopCluster, type StopOptions } from "./stop-cluster.js";
import type { Surroundings } from "./surroundings.js";
import { startTool, type ToolName } from "./tools.js";

/** What the call that made a handle did to bring the cluster up. */
export interface BootReport {
  /** There was no finished cluster of the name before; disposing the handle deletes it. */
  created: boolean;
  /** The cluster was running before. */
  wasRunning: boolean;
  timings: BootTimings;
}

/** What a handle knows about its cluster. */
export interface ClusterDescription {
  settings: ClusterSettings;
  adaptations: readonly AppliedAdaptation[];
  kubeconfig: string;
  /** Null when the cluster was only connected to. */
  boot: BootReport | null;
}

/** A handle on a cluster. Disposing it deletes the cluster if it was created with the handle. */
export class Cluster implements AsyncDisposable {
  readonly name: string;
  readonly settings: ClusterSettings;
  /** How the node deviates from one on a full kernel, and why. */
  readonly adaptations: readonly AppliedAdaptation[];
  /** The administrator's kubeconfig, as YAML. */
  readonly kubeconfig: string;
  /** Absolute path of the file that holds the kubeconfig. */
  readonly kubeconfigPath: string;
  readonly boot: BootReport | null;
  readonly images: ClusterImages;
  readonly ports: ClusterPorts;
  readonly #surroundings: Surroundings;
  readonly #paths: ClusterPaths;

  /** Handles are made by `createCluster` and `connectCluster`. */
  constructor(surroundings: Surroundings, description: ClusterDescription) {
    this.#surroundings = surroundings;
    this.#paths = clusterPaths(surroundings.dataDirectory, surroundings.clusterName);
    this.name = surroundings.clusterName;
    this.settings = description.settings;
    this.adaptations = description.adaptations;
    this.kubeconfig = description.kubeconfig;
    this.kubeconfigPath = this.#paths.kubeconfig;
    this.boot = description.boot;
    const credentials = () => parseKubeconfig(this.kubeconfig, this.kubeconfigPath);
    this.images = new ClusterImages(surroundings, credentials);
    this.ports = new ClusterPorts(credentials);
  }

  /** The state of the cluster and of each of its roles. */
  async status(signal?: AbortSignal): Promise<ClusterStatus> {
    return await clusterStatus({ ...this.#reference(), signal });
  }

  /**
   * The events of the cluster's roles since the supervisor's start (the last 1000 of
   * them), then each as it happens, until the cluster stops or the signal is aborted.
   */
  events(signal?: AbortSignal): AsyncIterable<SupervisorEvent> {
    return new SupervisorClient(this.#paths.controlSocket).events(signal);
  }

  /** The log lines of the cluster's roles. */
  logs(
    options: Omit<ClusterLogsOptions, "name" | "dataDirectory"> = {},
  ): ReturnType<typeof clusterLogs> {
    return clusterLogs({ ...options, ...this.#reference() });
  }

  /** Starts kubectl, helm or ctr for this cluster on this process's standard streams. */
  async startTool(tool: ToolName, args: readonly string[]): Promise<AttachedProcess> {
    return await startTool(tool, args, this.#reference());
  }

  /** Stops the cluster; `createCluster` with the same name resumes it with all its objects. */
  async stop(options: StopOptions = {}): Promise<void> {
    await stopCluster({ ...options, ...this.#reference() });
  }

  /** Stops the cluster and removes all that there is of it. */
  async delete(options: StopOptions = {}): Promise<void> {
    await deleteCluster({ ...options, ...this.#reference() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.boot?.created !== true) return;
    try {
      await this.delete();
    } catch (error) {
      const isGone = error instanceof SandkubeError && error.code === "E_CLUSTER_NOT_FOUND";
      if (!isGone) throw error;
    }
  }

  #reference() {
    return {
      name: this.name,
      dataDirectory: this.#surroundings.dataDirectory,
      programsDirectory: this.#surroundings.programsOverride,
    };
  }
}
