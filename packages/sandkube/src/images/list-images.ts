import { z } from "zod";
import { runImageTool, type ImageStore } from "./image-tool.js";

const listTimeoutMs = 60_000;

const imageSchema = z.object({
  name: z.string(),
  digest: z.string(),
  id: z.string(),
  layers: z.number().int(),
  sizeBytes: z.number().int(),
  unpackedBytes: z.number().int(),
  pods: z.array(z.string()),
  needed: z.boolean(),
});

/** An image of a node, under one of its names. */
export interface ImageInfo {
  name: string;
  digest: string;
  /** Digest of the configuration; the names of one image share it. Empty when the image is not whole. */
  id: string;
  layers: number;
  /** Bytes of its documents and layers as they were brought in. */
  sizeBytes: number;
  /** Bytes of its unpacked layers; images share those that are equal. */
  unpackedBytes: number;
  /** The pods with containers of the image, ended ones included, as `NAMESPACE/NAME`. */
  pods: string[];
  /** The node itself can not do without it. */
  needed: boolean;
}

/** The images of a node, sorted by name. */
export async function listImages(store: ImageStore, signal?: AbortSignal): Promise<ImageInfo[]> {
  return await runImageTool(store, ["list"], z.array(imageSchema), {
    signal,
    timeoutMs: listTimeoutMs,
    failure: "the images can not be listed",
  });
}
