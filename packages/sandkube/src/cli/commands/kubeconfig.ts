import type { Command } from "commander";
import { clusterReference, withClusterOptions, type ClusterFlags } from "../options.js";
import { perform } from "../perform.js";

interface KubeconfigFlags extends ClusterFlags {
  path?: boolean;
}

export function registerKubeconfig(program: Command): void {
  const command = program
    .command("kubeconfig")
    .summary("print a cluster's kubeconfig")
    .description("Prints a cluster's kubeconfig.");
  withClusterOptions(command)
    .option("--path", "print the path of the file instead, for `export KUBECONFIG=$(...)`")
    .action(async (_flags, self: Command) => {
      const flags = self.optsWithGlobals<KubeconfigFlags>();
      await perform({}, async () => {
        const { connectCluster } = await import("../../index.js");
        const { name, ...surroundings } = clusterReference(flags);
        const cluster = await connectCluster(name, surroundings);
        process.stdout.write(flags.path ? `${cluster.kubeconfigPath}\n` : cluster.kubeconfig);
      });
    });
}
