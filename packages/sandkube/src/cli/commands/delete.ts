import type { Command } from "commander";
import {
  clusterReference,
  parseDurationMs,
  withClusterOptions,
  withJsonOption,
  type ClusterFlags,
  type JsonFlag,
} from "../options.js";
import { perform, printResultLine } from "../perform.js";
import { reporting } from "../reporters/reporter.js";

interface DeleteFlags extends ClusterFlags, JsonFlag {
  all?: boolean;
  grace?: number;
}

export function registerDelete(program: Command): void {
  const command = program
    .command("delete")
    .summary("stop a cluster and remove all of it")
    .description(
      "Stops a cluster and removes all that there is of it; what was changed in the sandbox is put back.",
    );
  withJsonOption(withClusterOptions(command))
    .option("--all", "all clusters of the data directory")
    .option("--grace <duration>", "how long pods may take to end (default: 5s)", parseDurationMs)
    .action(async (_flags, self: Command) => {
      const flags = self.optsWithGlobals<DeleteFlags>();
      await perform(flags, (signal) => runDelete(flags, signal));
    });
}

async function runDelete(flags: DeleteFlags, signal: AbortSignal): Promise<void> {
  const { deleteCluster, listClusters } = await import("../../index.js");
  const reference = clusterReference(flags);
  const names = flags.all
    ? (await listClusters({ ...reference, signal })).map(({ name }) => name)
    : [reference.name];
  await reporting({ json: flags.json ?? false }, async (onProgress) => {
    for (const name of names) {
      await deleteCluster({ ...reference, name, graceMs: flags.grace, signal, onProgress });
    }
  });
  if (flags.json) printResultLine({ type: "result", command: "delete", deleted: names.length });
}
