import { z } from "zod";
import { nodeName } from "../node-names.js";
import { SandkubeError } from "../errors.js";
import { runImageTool, type ImageStore } from "./image-tool.js";
import { listImages, type ImageInfo } from "./list-images.js";
import type { RemovedImages } from "./remove-images.js";

const copyTimeoutMs = 30 * 60_000;

/** The image stores of a cluster: one a node, the first node's first. */
export type ImageStores = readonly [ImageStore, ...ImageStore[]];

/**
 * Gives images of the first store to all others, content as it is: an archive is read, and a registry
 * asked, once for all nodes.
 */
export async function copyToAll(
  [first, ...others]: ImageStores,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  for (const store of others) {
    const from = store.paths.containerdSocket(first.node);
    await runImageTool(store, ["copy", "--from", from, "--", ...names], z.array(z.unknown()), {
      signal,
      timeoutMs: copyTimeoutMs,
      failure: `${names.join(", ")} can not be given to ${nodeName(store.node)}`,
    });
  }
}

/** An image of a cluster. */
export interface ClusterImageInfo extends ImageInfo {
  /** The names of the nodes that have it. */
  nodes: string[];
}

/** The images of all stores, sorted by name; one that several have is listed once. */
export async function listAll(
  stores: ImageStores,
  signal?: AbortSignal,
): Promise<ClusterImageInfo[]> {
  const found = new Map<string, ClusterImageInfo>();
  for (const store of stores) {
    for (const image of await listImages(store, signal)) {
      const key = `${image.name}@${image.digest}`;
      const known = found.get(key);
      if (known === undefined) found.set(key, { ...image, nodes: [nodeName(store.node)] });
      else {
        known.nodes.push(nodeName(store.node));
        known.pods.push(...image.pods);
      }
    }
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/**
 * Does something in every store that has the images it is about, and returns what came of it. Throws
 * the first store's E_IMAGE_NOT_FOUND when none has them.
 */
export async function whereFound<T>(
  stores: readonly ImageStore[],
  work: (store: ImageStore) => Promise<T>,
): Promise<T[]> {
  const done: T[] = [];
  let missing: SandkubeError | null = null;
  for (const store of stores) {
    try {
      done.push(await work(store));
    } catch (error) {
      if (!isNotFound(error)) throw error;
      missing ??= error;
    }
  }
  if (done.length === 0 && missing !== null) throw missing;
  return done;
}

/** The same in the first store that has the images. */
export async function whereFoundFirst<T>(
  stores: readonly ImageStore[],
  work: (store: ImageStore) => Promise<T>,
): Promise<T> {
  let missing: SandkubeError | null = null;
  for (const store of stores) {
    try {
      return await work(store);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      missing ??= error;
    }
  }
  throw missing ?? new SandkubeError("E_INTERNAL", "the cluster has no image store");
}

/** What is gone from several stores. */
export function removedFromAll(removed: readonly RemovedImages[]): RemovedImages {
  return {
    names: [...new Set(removed.flatMap(({ names }) => names))],
    freedBytes: removed.reduce((sum, { freedBytes }) => sum + freedBytes, 0),
  };
}

function isNotFound(error: unknown): error is SandkubeError {
  return error instanceof SandkubeError && error.code === "E_IMAGE_NOT_FOUND";
}
