import { readNodeSpec } from "../boot/stored-plan.js";
import { replaceEgress } from "../egress/way-out.js";
import { SandkubeError } from "../errors.js";
import type { ProgressListener } from "../events.js";
import { listImages, type ImageInfo } from "../images/list-images.js";
import type { ImageStore } from "../images/image-tool.js";
import {
  buildArchive,
  buildImage,
  needsNoCluster,
  type BuiltImage,
  type ImageRecipe,
} from "../images/build-image.js";
import {
  pruneImages,
  removeImages,
  tagImage,
  type RemovedImages,
} from "../images/remove-images.js";
import { saveImages, type ArchiveDestination, type SavedImages } from "../images/save-images.js";
import { KubeClient } from "../kube/kube-client.js";
import type { KubeconfigCredentials } from "../kube/kubeconfig.js";
import { listPodImages } from "../kube/pod-images.js";
import { loadImage, type ImageSource, type LoadedImage } from "../images/load-image.js";
import { pullImage, type PulledImage, type PullImageOptions } from "../images/pull-image.js";
import { SupervisorClient } from "../runtime/supervisor-client.js";
import { clusterPaths, type ClusterPaths } from "../state/cluster-paths.js";
import type { Surroundings } from "./surroundings.js";

export interface ImageProgressOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ProgressListener | undefined;
}

export interface ImageLoadOptions extends ImageProgressOptions {
  /** Names the archive's only image, which may have no name of its own. */
  tag?: string | undefined;
  /** The most bytes that a layer may have unpacked; left open: what real ones have. */
  unpackLimitBytes?: number | undefined;
}

/** The container images of a cluster's node. */
export class ClusterImages {
  readonly #surroundings: Surroundings;
  readonly #paths: ClusterPaths;
  readonly #credentials: () => KubeconfigCredentials;

  constructor(surroundings: Surroundings, credentials: () => KubeconfigCredentials) {
    this.#surroundings = surroundings;
    this.#credentials = credentials;
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

  /**
   * Pulls an image, as the kubelet would: by the mirrors, certificates and proxies that the
   * cluster was started with. Throws a code that tells the cause: E_REGISTRY*,
   * E_EGRESS_REFUSED, E_TLS_UNTRUSTED; or E_IMAGE*, E_CLUSTER_NOT_RUNNING.
   */
  async pull(reference: string, options: PullImageOptions = {}): Promise<PulledImage> {
    const store = await this.#store(options.signal);
    const { egress } = await readNodeSpec(this.#paths);
    const environment = replaceEgress(process.env, egress.environment);
    return await pullImage(store, reference, { ...options, environment });
  }

  /** The node's images, sorted by name. Throws E_IMAGE or E_CLUSTER_NOT_RUNNING. */
  async list(signal?: AbortSignal): Promise<ImageInfo[]> {
    return await listImages(await this.#store(signal), signal);
  }

  /**
   * Makes an image of a directory or a program, without Docker, and gives it to the node or
   * writes an archive, for which the node need not run unless it has the base. Throws one of the codes E_IMAGE*, E_USAGE or E_CLUSTER_NOT_RUNNING.
   */
  async build(recipe: ImageRecipe, options: ImageProgressOptions = {}): Promise<BuiltImage> {
    if (needsNoCluster(recipe)) {
      return await buildArchive({ programs: await this.#surroundings.locate() }, recipe, options);
    }
    return await buildImage(await this.#store(options.signal), recipe, options);
  }

  /** Writes images into one archive for OCI tools and for Docker. */
  async save(
    names: readonly string[],
    destination: ArchiveDestination,
    options: ImageProgressOptions = {},
  ): Promise<SavedImages> {
    return await saveImages(await this.#store(options.signal), names, destination, options);
  }

  /** Gives an image another name, and returns that in full. */
  async tag(source: string, target: string, signal?: AbortSignal): Promise<string> {
    return await tagImage(await this.#store(signal), source, target, signal);
  }

  /**
   * Takes names from images; an image without one goes. Throws E_IMAGE_NOT_FOUND, or
   * E_IMAGE_IN_USE for an image of which a pod has a container, unless forced.
   */
  async remove(
    names: readonly string[],
    options: { force?: boolean | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<RemovedImages> {
    return await removeImages(await this.#store(options.signal), names, options);
  }

  /**
   * Removes what interrupted commands left behind and, with `all`, every image that no pod
   * of the cluster names or has a container of.
   */
  async prune(
    options: { all?: boolean | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<RemovedImages> {
    const { all = false, signal } = options;
    const store = await this.#store(signal);
    if (!all) return await pruneImages(store, { all, keep: [], signal });
    using client = new KubeClient(this.#credentials());
    return await pruneImages(store, { all, keep: await listPodImages(client, signal), signal });
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
