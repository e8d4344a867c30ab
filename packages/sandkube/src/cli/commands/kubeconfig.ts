import { resolve } from "node:path";
import type { Command } from "commander";
import type { MergedKubeconfig } from "../../index.js";
import {
  clusterReference,
  withClusterOptions,
  withJsonOption,
  type ClusterFlags,
  type JsonFlag,
} from "../options.js";
import { perform, printJson } from "../perform.js";

interface KubeconfigFlags extends ClusterFlags, JsonFlag {
  path?: boolean;
  file?: string;
  keepContext?: boolean;
}

const fileOption = [
  "--file <path>",
  "the kubeconfig (default: the first of KUBECONFIG, else ~/.kube/config)",
] as const;

export function registerKubeconfig(program: Command): void {
  const command = program
    .command("kubeconfig")
    .summary("print a cluster's kubeconfig, or add it to your own")
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
  const merge = command
    .command("merge")
    .summary("add the cluster to your own kubeconfig")
    .description(
      "Adds the cluster to your own kubeconfig as the context sandkube-NAME and makes it the current one; `delete` takes it out again.",
    );
  withJsonOption(withClusterOptions(merge))
    .option(...fileOption)
    .option("--keep-context", "leave the current context as it is")
    .action(async (_flags, self: Command) => {
      const flags = self.optsWithGlobals<KubeconfigFlags>();
      await perform(flags, async (signal) => {
        const { mergeKubeconfig } = await import("../../index.js");
        const { keepContext } = flags;
        const merged = await mergeKubeconfig({ ...referenceOf(flags), keepContext, signal });
        report(merged, `The context ${merged.context} is in ${merged.file}.`, flags);
      });
    });
  const unmerge = command
    .command("unmerge")
    .summary("take it out again")
    .description("Takes the cluster out of your own kubeconfig again.");
  withJsonOption(withClusterOptions(unmerge))
    .option(...fileOption)
    .action(async (_flags, self: Command) => {
      const flags = self.optsWithGlobals<KubeconfigFlags>();
      await perform(flags, async (signal) => {
        const { unmergeKubeconfig } = await import("../../index.js");
        const taken = await unmergeKubeconfig({ ...referenceOf(flags), signal });
        const what = taken.changed ? "is no longer" : "was not";
        report(taken, `The context ${taken.context} ${what} in ${taken.file}.`, flags);
      });
    });
}

function referenceOf(flags: KubeconfigFlags) {
  return {
    ...clusterReference(flags),
    file: flags.file === undefined ? undefined : resolve(flags.file),
  };
}

function report(merged: MergedKubeconfig, text: string, flags: JsonFlag): void {
  if (flags.json) printJson(merged);
  else process.stdout.write(`${text}\n`);
}
