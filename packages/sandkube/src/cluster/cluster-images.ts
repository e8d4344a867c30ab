import type { Readable } from "node:stream";
import { readNodeSpec } from "../boot/stored-plan.js";
import { SandkubeError } from "../errors.js";
import type { ProgressListener } from "../events.js";
import { listImages, type ImageInfo } from "../images/list-images.js";
import { loadImage, type LoadedImage } from "../images/load-image.js";
import type { NodeSection } from "../plan/node-spec.js";
import { SupervisorClient } from "../runtime/supervisor-client.js";
import { clusterPaths, type ClusterPaths } from "../state/cluster-paths.js";
import type { Surroundings } from "./surroundings.js";

export interface ImageLoadOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ProgressListener | undefined;
}

/** The container images of a cluster's node. */
export class ClusterImages {
  readonly #surroundings: Surroundings;
  readonly #paths: ClusterPaths;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#paths = clusterPaths(surroundings.dataDirectory, surroundings.clusterName);
  }

  /**
   * Loads the images of an archive, so that pods can use them without a registry. The
   * archive is what `docker save` writes or an OCI layout in a tar file; gzip is
   * undone for a file, not for a stream. Throws E_IMAGE or E_CLUSTER_NOT_RUNNING.
   */
  async load(archive: string | Readable, options: ImageLoadOptions = {}): Promise<LoadedImage[]> {
    const node = await this.#runningNode(options.signal);
    const programs = await this.#surroundings.locate();
    const loaded = await loadImage(programs, this.#paths, archive, {
      snapshotter: node.containerd.snapshotter,
      signal: options.signal,
    });
    for (const { name } of loaded) options.onProgress?.({ type: "image-loaded", reference: name });
    return loaded;
  }

  /** The node's images, sorted by name. Throws E_IMAGE or E_CLUSTER_NOT_RUNNING. */
  async list(signal?: AbortSignal): Promise<ImageInfo[]> {
    await this.#runningNode(signal);
    return await listImages(await this.#surroundings.locate(), this.#paths, signal);
  }

  async #runningNode(signal?: AbortSignal): Promise<NodeSection> {
    const name = this.#surroundings.clusterName;
    if (!(await new SupervisorClient(this.#paths.controlSocket).isAlive(signal))) {
      throw new SandkubeError("E_CLUSTER_NOT_RUNNING", `the cluster ${name} is stopped`, {
        hint: "`sandkube up` resumes it.",
      });
    }
    const { node } = await readNodeSpec(this.#paths);
    if (node !== null) return node;
    throw new SandkubeError("E_IMAGE", `the cluster ${name} has no node, so it has no images`, {
      hint: "A cluster with a node is made by `sandkube up` without --control-plane.",
    });
  }
}
