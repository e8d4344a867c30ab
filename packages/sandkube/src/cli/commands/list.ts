import type { Command } from "commander";
import type { ListedCluster, SandkubeError } from "../../index.js";
import {
  clusterReference,
  withDataOption,
  withJsonOption,
  type ClusterFlags,
  type JsonFlag,
} from "../options.js";
import { perform, printJson, printLines } from "../perform.js";
import { table } from "../table.js";

export function registerList(program: Command): void {
  const command = program
    .command("list")
    .alias("ls")
    .summary("list the clusters of the data directory")
    .description("Lists the clusters of the data directory.");
  withJsonOption(withDataOption(command)).action(async (_flags, self: Command) => {
    const flags = self.optsWithGlobals<ClusterFlags & JsonFlag>();
    await perform(flags, async (signal) => {
      const { listClusters } = await import("../../quick.js");
      const { dataDirectory } = clusterReference(flags);
      const clusters = await listClusters({ dataDirectory, signal });
      if (flags.json) return printJson(clusters);
      printLines(table([["NAME", "STATE", "MODE", "API SERVER"], ...clusters.map(rowOf)]));
      for (const { name, error } of clusters) {
        if (error !== null) process.stderr.write(`${name}: ${noticeOf(error)}\n`);
      }
    });
  });
}

function rowOf({ name, status }: ListedCluster): string[] {
  if (status === null) return [name, "unreadable"];
  const { settings, state } = status;
  if (settings === null) return [name, state];
  return [name, state, settings.mode, `https://${settings.bindAddress}:${settings.apiPort}`];
}

function noticeOf({ message, hint }: SandkubeError): string {
  return hint === undefined ? message : `${message}. ${hint}`;
}
