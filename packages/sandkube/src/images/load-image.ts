import { resolve } from "node:path";
import type { Readable } from "node:stream";
import { z } from "zod";
import { runImageTool, type ImageStore, type ImageToolOptions } from "./image-tool.js";

const loadTimeoutMs = 30 * 60_000;

const loadedSchema = z.array(
  z.object({
    name: z.string(),
    digest: z.string(),
    layers: z.number().int(),
    sizeBytes: z.number().int(),
  }),
);

/** An image that has been loaded. */
export interface LoadedImage {
  /** The full reference by which pods name it, such as `registry.example/library/hello:1`. */
  name: string;
  digest: string;
  layers: number;
  /** Bytes of its layers and documents as they were in the archive. */
  sizeBytes: number;
}

/** Where images come from: a file, a directory, a stream, or this process's standard input. */
export type ImageSource = string | Readable | { standardInput: true };

export interface LoadImageOptions extends Pick<
  ImageToolOptions,
  "signal" | "onProgress" | "unpackLimitBytes"
> {
  /** Names the archive's only image. */
  tag?: string | undefined;
}

/**
 * Loads all images of an archive into a node and unpacks them. The archive is an OCI
 * layout, as a directory or in a tar file, or what `docker save` writes; plain or
 * compressed with gzip or zstd. All of its images are loaded, or none.
 */
export async function loadImage(
  store: ImageStore,
  source: ImageSource,
  options: LoadImageOptions = {},
): Promise<LoadedImage[]> {
  const isPath = typeof source === "string";
  const name = isPath ? source : "the archive on standard input";
  return await runImageTool(
    store,
    [
      "load",
      ...(options.tag === undefined ? [] : ["--tag", options.tag]),
      ...["--", isPath ? resolve(source) : "-"],
    ],
    loadedSchema,
    {
      ...options,
      stdin: isPath ? undefined : "standardInput" in source ? "inherit" : source,
      timeoutMs: loadTimeoutMs,
      failure: `${name} can not be loaded`,
    },
  );
}
