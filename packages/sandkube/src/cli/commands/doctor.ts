import type { Command } from "commander";
import {
  clusterReference,
  withDataOption,
  withJsonOption,
  type ClusterFlags,
  type JsonFlag,
} from "../options.js";
import { perform, printJson, printLines } from "../perform.js";
import { formatDoctor } from "../reports/doctor-text.js";

export function registerDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .summary("say what this sandbox allows, and what would be adapted and lost")
    .description(
      "Tries what this sandbox allows, changing nothing, and says which modes can run, what up would adapt and what is lost by that.",
    );
  withJsonOption(withDataOption(command)).action(async (_flags, self: Command) => {
    const flags = self.optsWithGlobals<ClusterFlags & JsonFlag>();
    await perform(flags, async (signal) => {
      const { doctor } = await import("../../index.js");
      const { dataDirectory } = clusterReference(flags);
      const { report, facts } = await doctor({ dataDirectory, signal });
      if (flags.json) return printJson({ ...report, facts: facts.facts });
      printLines(formatDoctor(report));
    });
  });
}
