import * as fs from "node:fs/promises";
import { join } from "node:path";
import type { ClusterOptions } from "../config/cluster-options.js";
import { SandkubeError } from "../errors.js";
import type { ProgressListener } from "../events.js";
import { readImagesChoice, writeImagesChoice } from "../state/images-choice.js";
import type { ClusterPaths } from "../state/cluster-paths.js";
import { imagesDirectoryName } from "../state/cluster-directories.js";

/** Where k3s looks for images: https://docs.k3s.io/installation/airgap */
export const k3sImagesDirectory = "/var/lib/rancher/k3s/agent/images";

/**
 * The directory from which the node takes images: the one that was named, now or at an earlier
 * `up`; else `images` in the data directory, or k3s' own where that exists alone. The usual ones
 * need not exist. Throws E_CONFIG when the named one is no directory.
 */
export async function chooseImagesDirectory(
  options: Pick<ClusterOptions, "imagesDirectory" | "dataDirectory">,
  paths: ClusterPaths,
): Promise<string> {
  const named = options.imagesDirectory ?? (await readImagesChoice(paths));
  if (named !== null) {
    if (!(await isDirectory(named))) {
      throw new SandkubeError("E_CONFIG", `the images directory ${named} is no directory`, {
        hint: "Make it, or name another one with --images-dir.",
      });
    }
    await writeImagesChoice(paths, named);
    return named;
  }
  const own = join(options.dataDirectory, imagesDirectoryName);
  if (await isDirectory(own)) return own;
  return (await isDirectory(k3sImagesDirectory)) ? k3sImagesDirectory : own;
}

/** Tells that a running cluster keeps its images directory where the options name another one. */
export function tellImagesDirectoryUnchanged(
  options: Pick<ClusterOptions, "imagesDirectory">,
  current: string,
  emit: ProgressListener,
): void {
  if (options.imagesDirectory === undefined || options.imagesDirectory === current) return;
  emit({
    type: "warning",
    message: `The cluster runs with the images directory ${current}, and keeps it.`,
    hint: "`sandkube down`, then the same `sandkube up` again.",
  });
}

async function isDirectory(path: string): Promise<boolean> {
  return await fs.stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
