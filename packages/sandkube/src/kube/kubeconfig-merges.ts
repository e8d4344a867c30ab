import * as fs from "node:fs/promises";
import { z } from "zod";
import { readFileIfExists, writeJsonAtomically } from "../platform/files.js";
import type { ClusterPaths } from "../state/cluster-paths.js";
import { changeKubeconfigFile } from "./kubeconfig-file.js";
import { withoutCluster } from "./merged-kubeconfig.js";

/** The name of a cluster's context, cluster and user in kubeconfigs. */
export function contextName(clusterName: string): string {
  return `sandkube-${clusterName}`;
}

/** Notes in a cluster's directory that it is being added to a kubeconfig. */
export async function rememberMerge(paths: ClusterPaths, file: string): Promise<void> {
  const known = await rememberedMerges(paths);
  if (!known.includes(file)) await writeJsonAtomically(paths.kubeconfigMerges, [...known, file]);
}

/** Takes a cluster that is being deleted out of every kubeconfig that it was added to. */
export async function takeOutEverywhere(paths: ClusterPaths, clusterName: string): Promise<void> {
  for (const file of await rememberedMerges(paths)) await takeOut(file, contextName(clusterName));
}

/** Takes a context out of a kubeconfig, with its cluster and user; says whether it was there. */
export async function takeOut(
  file: string,
  context: string,
  signal?: AbortSignal,
): Promise<boolean> {
  // A missing file is not made, nor its directory.
  if ((await readFileIfExists(file)) === null) return false;
  return await changeKubeconfigFile(file, (text) => withoutCluster(text, context, file), signal);
}

async function rememberedMerges(paths: ClusterPaths): Promise<string[]> {
  try {
    return z.array(z.string()).parse(JSON.parse(await fs.readFile(paths.kubeconfigMerges, "utf8")));
  } catch {
    // Missing, or damaged as all of the cluster may be: then the user's file is left as it is.
    return [];
  }
}
