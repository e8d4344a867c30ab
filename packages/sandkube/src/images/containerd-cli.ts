import type { Programs } from "../runtime/locate-programs.js";
import type { ClusterPaths } from "../state/cluster-paths.js";

/** The namespace of containerd in which the kubelet's images and containers live. */
const kubernetesNamespace = "k8s.io";

/** A command line of `ctr` that speaks to the containerd of a cluster's first node. */
export function ctrCommand(
  programs: Programs,
  paths: ClusterPaths,
  args: readonly string[],
): { file: string; args: string[]; environment: NodeJS.ProcessEnv } {
  return {
    file: programs.path("sandkube-containerd"),
    // The warnings are about cgroup version 1, which is not the user's choice.
    environment: { ...process.env, CONTAINERD_SUPPRESS_DEPRECATION_WARNINGS: "true" },
    args: [
      "ctr",
      "--address",
      paths.containerdSocket(1),
      "--namespace",
      kubernetesNamespace,
      ...args,
    ],
  };
}
