import { z } from "zod";
import { runImageTool, type ImageStore } from "./image-tool.js";

const removeTimeoutMs = 5 * 60_000;

const removedSchema = z.object({ names: z.array(z.string()), freedBytes: z.number().int() });

/** What is gone. */
export interface RemovedImages {
  /** The full names that were taken away. */
  names: string[];
  /** What content and unpacked layers take less. */
  freedBytes: number;
}

/**
 * Takes names from images; an image without one goes. Throws E_IMAGE_NOT_FOUND, or
 * E_IMAGE_IN_USE for the last name of an image of which a pod has a container, unless forced.
 */
export async function removeImages(
  store: ImageStore,
  names: readonly string[],
  options: { force?: boolean | undefined; signal?: AbortSignal | undefined } = {},
): Promise<RemovedImages> {
  const force = options.force ? ["--force"] : [];
  return await runImageTool(store, ["remove", ...force, "--", ...names], removedSchema, {
    signal: options.signal,
    timeoutMs: removeTimeoutMs,
    failure: "the images can not be removed",
  });
}

/**
 * Removes what interrupted commands left behind and, with `all`, every image that no pod
 * uses and that is not among those to keep.
 */
export async function pruneImages(
  store: ImageStore,
  options: { all: boolean; keep: readonly string[]; signal?: AbortSignal | undefined },
): Promise<RemovedImages> {
  const all = options.all ? ["--all"] : [];
  return await runImageTool(store, ["prune", ...all, "--", ...options.keep], removedSchema, {
    signal: options.signal,
    timeoutMs: removeTimeoutMs,
    failure: "the images can not be pruned",
  });
}

/** Gives an image another name, and returns it in full. Throws E_IMAGE_NOT_FOUND or E_USAGE. */
export async function tagImage(
  store: ImageStore,
  source: string,
  target: string,
  signal?: AbortSignal,
): Promise<string> {
  return await runImageTool(store, ["tag", "--", source, target], z.string(), {
    signal,
    timeoutMs: removeTimeoutMs,
    failure: `${source} can not be tagged`,
  });
}
