import { userKubeconfig } from "../config/environment.js";
import { SandkubeError } from "../errors.js";
import { changeKubeconfigFile } from "../kube/kubeconfig-file.js";
import { contextName, rememberMerge, takeOut } from "../kube/kubeconfig-merges.js";
import { mergeKubeconfigs } from "../kube/merged-kubeconfig.js";
import { clusterPaths, type ClusterPaths } from "../state/cluster-paths.js";
import { connectCluster } from "./connect-cluster.js";
import { surroundingsOf, type ClusterReference } from "./surroundings.js";

export interface MergeKubeconfigOptions extends ClusterReference {
  /** Absolute path of the kubeconfig; by default the first that KUBECONFIG names, else ~/.kube/config. */
  file?: string | undefined;
  /** Leave the current context as it is. */
  keepContext?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** Where a cluster was added or taken out. */
export interface MergedKubeconfig {
  file: string;
  /** The name of the cluster's context. */
  context: string;
  /** Whether the file had to be changed. */
  changed: boolean;
}

/**
 * Adds a cluster to the user's own kubeconfig, as the context `sandkube-NAME`, which becomes the current
 * one. `deleteCluster` takes it out again. Throws E_CLUSTER_NOT_FOUND, E_CONFIG or E_LOCKED.
 */
export async function mergeKubeconfig(
  options: MergeKubeconfigOptions = {},
): Promise<MergedKubeconfig> {
  const { file: named, keepContext = false, signal, name, ...rest } = options;
  const cluster = await connectCluster(name, rest);
  const paths = pathsOf(options);
  const file = named ?? userKubeconfig(process.env);
  if (file === paths.kubeconfig) {
    throw new SandkubeError("E_CONFIG", `${file} is the cluster's own kubeconfig`, {
      hint: "Name another file with --file, or unset KUBECONFIG.",
    });
  }
  // Noted before it is done, so that `deleteCluster` knows of it whenever this is killed.
  await rememberMerge(paths, file);
  const changed = await changeKubeconfigFile(
    file,
    (text) => mergeKubeconfigs(text, cluster.kubeconfig, { file, switchContext: !keepContext }),
    signal,
  );
  return { file, context: contextName(cluster.name), changed };
}

/**
 * Takes a cluster out of the user's own kubeconfig again; it need not exist any more. Throws E_CONFIG or
 * E_LOCKED.
 */
export async function unmergeKubeconfig(
  options: MergeKubeconfigOptions = {},
): Promise<MergedKubeconfig> {
  const context = contextName(surroundingsOf(options).clusterName);
  const file = options.file ?? userKubeconfig(process.env);
  const changed = await takeOut(file, context, options.signal);
  return { file, context, changed };
}

function pathsOf(options: ClusterReference): ClusterPaths {
  const { dataDirectory, clusterName } = surroundingsOf(options);
  return clusterPaths(dataDirectory, clusterName);
}
