import { randomBytes } from "node:crypto";
import * as fs from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { clusterNamePattern } from "../config/cluster-options.js";
import { SandkubeError } from "../errors.js";
import { directoriesIn, errnoOf, makePrivateDirectory, removeTree } from "../platform/files.js";
import { clusterPaths, type ClusterPaths } from "./cluster-paths.js";
import { makeDataDirectory, removeUnusedDataDirectory } from "./data-directory.js";

/** The directory beside those of the clusters in which users put images for them. */
export const imagesDirectoryName = "images";

const doomedPrefix = ".deleting-";

/** Names of the clusters that have a directory, whether complete or not. */
export async function clusterNames(dataDirectory: string): Promise<string[]> {
  const names = await directoriesIn(dataDirectory);
  return names.filter((name) => clusterNamePattern.test(name));
}

/** Makes a cluster's directory and that of its logs. Throws E_DATA_DIRECTORY when that is not possible. */
export async function makeClusterDirectory(paths: ClusterPaths): Promise<void> {
  try {
    await makeDataDirectory(dirname(paths.directory));
    await makePrivateDirectory(paths.logsDirectory);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SandkubeError(
      "E_DATA_DIRECTORY",
      `the directory ${paths.directory} can not be made: ${reason}`,
      {
        hint: "Choose one that you can write to with --data or SANDKUBE_DATA.",
        details: { directory: paths.directory, errno: errnoOf(cause) },
        cause,
      },
    );
  }
}

/**
 * Removes a cluster's directory, its lock included, and the data directory when it
 * becomes empty. The directory is renamed first, so that a command that waits for
 * the lock can not put anything into a directory that is being removed.
 */
export async function removeClusterDirectory(dataDirectory: string, name: string): Promise<void> {
  const { directory } = clusterPaths(dataDirectory, name);
  const doomed = join(dataDirectory, `${doomedPrefix}${name}-${randomBytes(4).toString("hex")}`);
  try {
    await fs.rename(directory, doomed);
  } catch (error) {
    // overlayfs may refuse to rename a directory of a lower layer.
    if (errnoOf(error) === "EXDEV") await removeTree(directory);
    else if (errnoOf(error) !== "ENOENT") throw error;
  }
  await removeDoomedDirectories(dataDirectory, name);
  await removeUnusedDataDirectory(dataDirectory);
}

/** Removes what a killed `delete` of the cluster has left. */
export async function removeDoomedDirectories(dataDirectory: string, name: string): Promise<void> {
  const names = await directoriesIn(dataDirectory);
  const doomed = new RegExp(`^\\${doomedPrefix}${name}-[0-9a-f]{8}$`);
  for (const entry of names.filter((directory) => doomed.test(directory))) {
    await removeTree(join(dataDirectory, entry));
  }
}

/** Empties a cluster's directory but for its lock, and makes that of its logs anew. */
export async function removeClusterContents(paths: ClusterPaths): Promise<void> {
  const lock = basename(paths.lock);
  for (const entry of await fs.readdir(paths.directory)) {
    if (entry !== lock) await removeTree(join(paths.directory, entry));
  }
  await makeClusterDirectory(paths);
}
