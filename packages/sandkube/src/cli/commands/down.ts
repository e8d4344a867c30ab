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

interface DownFlags extends ClusterFlags, JsonFlag {
  grace?: number;
}

export function registerDown(program: Command): void {
  const command = program
    .command("down")
    .summary("stop a cluster; up resumes it")
    .description(
      "Stops a cluster: its pods within their grace, then its parts. All objects and images stay.",
    );
  withJsonOption(withClusterOptions(command))
    .option("--grace <duration>", "how long pods may take to end (default: 30s)", parseDurationMs)
    .action(async (_flags, self: Command) => {
      const flags = self.optsWithGlobals<DownFlags>();
      await perform(flags, (signal) => runDown(flags, signal));
    });
}

async function runDown(flags: DownFlags, signal: AbortSignal): Promise<void> {
  const { stopCluster } = await import("../../index.js");
  const { wasRunning } = await reporting({ json: flags.json ?? false }, (onProgress) =>
    stopCluster({ ...clusterReference(flags), graceMs: flags.grace, signal, onProgress }),
  );
  if (flags.json) printResultLine({ type: "result", command: "down", wasRunning });
}
