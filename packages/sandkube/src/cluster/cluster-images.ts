import { readNodeSpec } from "../boot/stored-plan.js";
import { replaceEgress } from "../egress/way-out.js";
import { SandkubeError } from "../errors.js";
import type { ProgressListener } from "../events.js";
import { nodeNumbers } from "../node-names.js";
import {
  copyToAll,
  listAll,
  removedFromAll,
  whereFound,
  whereFoundFirst,
  type ClusterImageInfo,
  type ImageStores,
} from "../images/several-stores.js";
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

/** The container images of a cluster's nodes: what is brought in, every node gets. */
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
    const stores = await this.#stores(options.signal);
    const loaded = await loadImage(stores[0], archive, options);
    await copyToAll(stores, namesOf(loaded), options.signal);
    for (const { name } of loaded) options.onProgress?.({ type: "image-loaded", reference: name });
    return loaded;
  }

  /**
   * Pulls an image, as the kubelet would: by the mirrors, certificates and proxies that the
   * cluster was started with. Throws a code that tells the cause: E_REGISTRY*,
   * E_EGRESS_REFUSED, E_TLS_UNTRUSTED; or E_IMAGE*, E_CLUSTER_NOT_RUNNING.
   */
  async pull(reference: string, options: PullImageOptions = {}): Promise<PulledImage> {
    const stores = await this.#stores(options.signal);
    const { egress } = await readNodeSpec(this.#paths);
    const environment = replaceEgress(process.env, egress.environment);
    const pulled = await pullImage(stores[0], reference, { ...options, environment });
    await copyToAll(stores, namesOf([pulled]), options.signal);
    return pulled;
  }

  /** The nodes' images, sorted by name. Throws E_IMAGE or E_CLUSTER_NOT_RUNNING. */
  async list(signal?: AbortSignal): Promise<ClusterImageInfo[]> {
    return await listAll(await this.#stores(signal), signal);
  }

  /**
   * Makes an image of a directory or a program, without Docker, and gives it to the nodes or
   * writes an archive, for which no node need run unless it has the base. Throws one of the codes E_IMAGE*, E_USAGE or E_CLUSTER_NOT_RUNNING.
   */
  async build(recipe: ImageRecipe, options: ImageProgressOptions = {}): Promise<BuiltImage> {
    if (needsNoCluster(recipe)) {
      return await buildArchive({ programs: await this.#surroundings.locate() }, recipe, options);
    }
    const stores = await this.#stores(options.signal);
    const built = await buildImage(stores[0], recipe, options);
    if (built.output === undefined) await copyToAll(stores, namesOf([built]), options.signal);
    return built;
  }

  /** Writes images that one node has into one archive for OCI tools and for Docker. */
  async save(
    names: readonly string[],
    destination: ArchiveDestination,
    options: ImageProgressOptions = {},
  ): Promise<SavedImages> {
    return await whereFoundFirst(await this.#stores(options.signal), (store) =>
      saveImages(store, names, destination, options),
    );
  }

  /** Gives an image another name, and returns that in full. */
  async tag(source: string, target: string, signal?: AbortSignal): Promise<string> {
    const names = await whereFound(await this.#stores(signal), (store) =>
      tagImage(store, source, target, signal),
    );
    return names[0] ?? target;
  }

  /**
   * Takes names from images; an image without one goes. Throws E_IMAGE_NOT_FOUND, or
   * E_IMAGE_IN_USE for an image of which a pod has a container, unless forced.
   */
  async remove(
    names: readonly string[],
    options: { force?: boolean | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<RemovedImages> {
    const removed = await whereFound(await this.#stores(options.signal), (store) =>
      removeImages(store, names, options),
    );
    return removedFromAll(removed);
  }

  /**
   * Removes what interrupted commands left behind and, with `all`, every image that no pod
   * of the cluster names or has a container of.
   */
  async prune(
    options: { all?: boolean | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<RemovedImages> {
    const { all = false, signal } = options;
    const stores = await this.#stores(signal);
    const keep = all ? await this.#imagesOfPods(signal) : [];
    return removedFromAll(
      await whereFound(stores, (store) => pruneImages(store, { all, keep, signal })),
    );
  }

  async #imagesOfPods(signal: AbortSignal | undefined): Promise<string[]> {
    using client = new KubeClient(this.#credentials());
    return await listPodImages(client, signal);
  }

  /** The images of the nodes, which have to run. */
  async #stores(signal?: AbortSignal): Promise<ImageStores> {
    const name = this.#surroundings.clusterName;
    if (!(await new SupervisorClient(this.#paths.controlSocket).isAlive(signal))) {
      throw new SandkubeError("E_CLUSTER_NOT_RUNNING", `the cluster ${name} is stopped`, {
        hint: "`sandkube up` resumes it.",
      });
    }
    const { node, nodes } = await readNodeSpec(this.#paths);
    if (node === null) {
      throw new SandkubeError("E_IMAGE", `the cluster ${name} has no node, so it has no images`, {
        hint: "A cluster with a node is made by `sandkube up` without --control-plane.",
      });
    }
    const programs = await this.#surroundings.locate();
    const { snapshotter } = node.containerd;
    const storeOf = (number: number) => ({
      programs,
      paths: this.#paths,
      snapshotter,
      node: number,
    });
    const [, ...others] = nodeNumbers(nodes.length);
    return [storeOf(1), ...others.map(storeOf)];
  }
}

function namesOf(images: readonly { name: string }[]): string[] {
  return images.map(({ name }) => name);
}
