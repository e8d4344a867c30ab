import { readNodeSpec } from "../boot/stored-plan.js";
import { SandkubeError } from "../errors.js";
import type { ProgressListener } from "../events.js";
import { listImages, type ImageInfo } from "../images/list-images.js";
import type { ImageStore } from "../images/image-tool.js";
import { loadImage, type ImageSource, type LoadedImage } from "../images/load-image.js";
import { SupervisorClient } from "../runtime/supervisor-client.js";
import { clusterPaths, type ClusterPaths } from "../state/cluster-paths.js";
import type { Surroundings } from "./surroundings.js";

export interface ImageLoadOptions {
  /** Names the archive's only image, which may have no name of its own. */
  tag?: string | undefined;
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
   * Loads the images of an archive, so that pods can use them without a registry: all of
   * them or, when one is refused, none. The archive is what `docker save` writes or an OCI
   * layout, in a tar file, a stream or a directory; gzip and zstd are undone. Throws one of
   * the codes E_IMAGE*, or E_CLUSTER_NOT_RUNNING.
   */
  async load(archive: ImageSource, options: ImageLoadOptions = {}): Promise<LoadedImage[]> {
    const loaded = await loadImage(await this.#store(options.signal), archive, options);
    for (const { name } of loaded) options.onProgress?.({ type: "image-loaded", reference: name });
    return loaded;
  }

  /** The node's images, sorted by name. Throws E_IMAGE or E_CLUSTER_NOT_RUNNING. */
  async list(signal?: AbortSignal): Promise<ImageInfo[]> {
    const { programs, paths } = await this.#store(signal);
    return await listImages(programs, paths, signal);
  }

  /** The images of the node, which has to run. */
  async #store(signal?: AbortSignal): Promise<ImageStore> {
    const name = this.#surroundings.clusterName;
    if (!(await new SupervisorClient(this.#paths.controlSocket).isAlive(signal))) {
      throw new SandkubeError("E_CLUSTER_NOT_RUNNING", `the cluster ${name} is stopped`, {
        hint: "`sandkube up` resumes it.",
      });
    }
    const { node } = await readNodeSpec(this.#paths);
    if (node === null) {
      throw new SandkubeError("E_IMAGE", `the cluster ${name} has no node, so it has no images`, {
        hint: "A cluster with a node is made by `sandkube up` without --control-plane.",
      });
    }
    const programs = await this.#surroundings.locate();
    return { programs, paths: this.#paths, snapshotter: node.containerd.snapshotter };
  }
}
