import { resolve } from "node:path";
import { z } from "zod";
import { runImageTool, type ImageStore, type ImageToolOptions } from "./image-tool.js";

const saveTimeoutMs = 30 * 60_000;

const savedSchema = z.object({ names: z.array(z.string()), sizeBytes: z.number().int() });

/** What was written. */
export interface SavedImages {
  /** The full names of the images in the archive. */
  names: string[];
  sizeBytes: number;
}

/** Where an archive goes: a file, which is there whole or not at all, or this process's standard output. */
export type ArchiveDestination = string | { standardOutput: true };

/** Writes images into one archive, which both OCI tools and Docker can read. */
export async function saveImages(
  store: ImageStore,
  names: readonly string[],
  destination: ArchiveDestination,
  options: Pick<ImageToolOptions, "signal" | "onProgress"> = {},
): Promise<SavedImages> {
  const isFile = typeof destination === "string";
  const output = isFile ? resolve(destination) : "-";
  return await runImageTool(store, ["save", "--output", output, "--", ...names], savedSchema, {
    ...options,
    ...(isFile ? {} : { archiveDescriptor: process.stdout.fd }),
    timeoutMs: saveTimeoutMs,
    failure: "the images can not be saved",
  });
}
