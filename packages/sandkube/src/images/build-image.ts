import { resolve } from "node:path";
import { Readable } from "node:stream";
import { z } from "zod";
import {
  runImageTool,
  type ImageStore,
  type ImageToolOptions,
  type WithoutNode,
} from "./image-tool.js";

const buildTimeoutMs = 30 * 60_000;

const builtSchema = z.object({
  name: z.string(),
  digest: z.string(),
  layers: z.number().int(),
  sizeBytes: z.number().int(),
  output: z.string().optional(),
  warnings: z.array(z.string()),
});

/** What an image is made of: one layer of local files on a base. */
export interface ImageRecipe {
  /** A directory whose content becomes the root, or a program, which is put there and is the entry point. */
  source: string;
  /** What the image is called. */
  tag: string;
  /**
   * An image of the node, the path of an archive, which begins with `/` or `.`, or `scratch`, the
   * default, which has nothing in it.
   */
  base?: string | undefined;
  /** Replaces the base's entry point, and with it its arguments. */
  entrypoint?: readonly string[] | undefined;
  /** The default arguments, or the command where there is no entry point. */
  command?: readonly string[] | undefined;
  /** Added to the base's variables, each as NAME=VALUE. */
  env?: readonly string[] | undefined;
  user?: string | undefined;
  workingDirectory?: string | undefined;
  /** Added to the base's labels. */
  labels?: Readonly<Record<string, string>> | undefined;
  /** Writes an archive to this file instead of giving the image to the node. */
  output?: string | undefined;
}

/** An image that was made. */
export interface BuiltImage {
  name: string;
  digest: string;
  layers: number;
  sizeBytes: number;
  /** The archive that was written, when one was asked for. */
  output?: string | undefined;
  /** What will probably not run, and why. */
  warnings: string[];
}

/** Makes an image of local files, without Docker. Equal files and settings give equal digests. */
export async function buildImage(
  store: ImageStore,
  recipe: ImageRecipe,
  options: Pick<ImageToolOptions, "signal" | "onProgress"> = {},
): Promise<BuiltImage> {
  return await runImageTool(store, ["build"], builtSchema, toolOptions(recipe, options));
}

/** What an image is made of that becomes an archive. */
export type ArchiveRecipe = ImageRecipe & { output: string };

/** Whether an image can be made without a cluster: as an archive, on an archive or on nothing. */
export function needsNoCluster(recipe: ImageRecipe): recipe is ArchiveRecipe {
  const { base = "scratch", output } = recipe;
  return output !== undefined && (base === "scratch" || isPath(base));
}

/** Makes an image as an archive, without a node: see {@link needsNoCluster}. */
export async function buildArchive(
  store: WithoutNode,
  recipe: ArchiveRecipe,
  options: Pick<ImageToolOptions, "signal" | "onProgress"> = {},
): Promise<BuiltImage> {
  return await runImageTool(store, ["archive"], builtSchema, toolOptions(recipe, options));
}

/** No image's name begins so. */
function isPath(base: string): boolean {
  return /^[/.]/.test(base);
}

function toolOptions(
  recipe: ImageRecipe,
  options: Pick<ImageToolOptions, "signal" | "onProgress">,
): ImageToolOptions {
  const base = recipe.base ?? "scratch";
  const document = {
    source: resolve(recipe.source),
    name: recipe.tag,
    base: isPath(base) ? resolve(base) : base,
    entrypoint: recipe.entrypoint,
    command: recipe.command,
    env: recipe.env,
    user: recipe.user,
    workingDir: recipe.workingDirectory,
    labels: recipe.labels,
    output: recipe.output === undefined ? undefined : resolve(recipe.output),
  };
  return {
    ...options,
    stdin: Readable.from([JSON.stringify(document)]),
    timeoutMs: buildTimeoutMs,
    failure: `no image can be made of ${recipe.source}`,
  };
}
