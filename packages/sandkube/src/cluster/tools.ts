import { ctrCommand } from "../images/containerd-cli.js";
import { spawnAttached, type AttachedProcess } from "../platform/processes.js";
import { clusterPaths } from "../state/cluster-paths.js";
import { surroundingsOf, type ClusterReference } from "./surroundings.js";

/** The upstream command-line tools that come with sandkube. */
export const toolNames = ["kubectl", "helm", "ctr"] as const;

export type ToolName = (typeof toolNames)[number];

/**
 * Starts a bundled tool on this process's standard streams, set up to speak to a cluster:
 * kubectl and helm by KUBECONFIG, ctr by containerd's socket. The cluster need not run.
 */
export async function startTool(
  tool: ToolName,
  args: readonly string[],
  options: ClusterReference = {},
): Promise<AttachedProcess> {
  const { dataDirectory, clusterName, locate } = surroundingsOf(options);
  const paths = clusterPaths(dataDirectory, clusterName);
  const programs = await locate();
  if (tool === "ctr") {
    const command = ctrCommand(programs, paths, args);
    return await spawnAttached(command.file, command.args, command);
  }
  return await spawnAttached(programs.path("sandkube-runtime"), [tool, ...args], {
    environment: {
      // What kubectl and helm remember of a cluster goes with it.
      KUBECACHEDIR: paths.kubectlCache,
      ...process.env,
      KUBECONFIG: paths.kubeconfig,
    },
  });
}
