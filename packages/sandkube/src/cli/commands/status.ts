import type { Command } from "commander";
import {
  clusterReference,
  withClusterOptions,
  withJsonOption,
  type ClusterFlags,
  type JsonFlag,
} from "../options.js";
import { perform, printJson, printLines } from "../perform.js";
import { formatStatus } from "../reports/status-text.js";

export function registerStatus(program: Command): void {
  const command = program
    .command("status")
    .summary("say what a cluster and its parts are doing")
    .description("Says what a cluster and each of its parts is doing.");
  withJsonOption(withClusterOptions(command)).action(async (_flags, self: Command) => {
    const flags = self.optsWithGlobals<ClusterFlags & JsonFlag>();
    await perform(flags, async (signal) => {
      const { clusterStatus } = await import("../../index.js");
      const status = await clusterStatus({ ...clusterReference(flags), signal });
      if (flags.json) return printJson(status);
      printLines(formatStatus(status));
    });
  });
}
