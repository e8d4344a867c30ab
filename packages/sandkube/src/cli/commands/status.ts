import type { Command } from "commander";
import type { ClusterStatus } from "../../index.js";
import {
  clusterReference,
  withClusterOptions,
  withJsonOption,
  type ClusterFlags,
  type JsonFlag,
} from "../options.js";
import { perform, printJson, printLines } from "../perform.js";
import { formatStatus } from "../reports/status-text.js";

interface StatusFlags extends ClusterFlags, JsonFlag {
  watch?: boolean;
}

const clearScreen = "\u001b[H\u001b[2J";

export function registerStatus(program: Command): void {
  const command = program
    .command("status")
    .summary("say what a cluster and its parts are doing")
    .description("Says what a cluster and each of its parts is doing.");
  withJsonOption(withClusterOptions(command))
    .option(
      "-w, --watch",
      "say it again whenever it changes, until Ctrl-C; one line each with --json",
    )
    .action(async (_flags, self: Command) => {
      const flags = self.optsWithGlobals<StatusFlags>();
      await perform(flags, (signal) => (flags.watch ? watch(flags, signal) : once(flags, signal)));
    });
}

async function once(flags: StatusFlags, signal: AbortSignal): Promise<void> {
  const { clusterStatus } = await import("../../quick.js");
  const status = await clusterStatus({ ...clusterReference(flags), signal });
  if (flags.json) return printJson(status);
  printLines(formatStatus(status));
}

async function watch(flags: StatusFlags, signal: AbortSignal): Promise<void> {
  const { watchClusterStatus } = await import("../../index.js");
  let isFirst = true;
  for await (const status of watchClusterStatus({ ...clusterReference(flags), signal })) {
    if (flags.json) process.stdout.write(`${JSON.stringify({ type: "status", ...status })}\n`);
    else show(status, isFirst);
    isFirst = false;
  }
}

/** A terminal shows the latest alone; elsewhere a line with the time stands between them. */
function show(status: ClusterStatus, isFirst: boolean): void {
  if (process.stdout.isTTY) process.stdout.write(clearScreen);
  else if (!isFirst) process.stdout.write(`\n--- ${new Date().toISOString()}\n`);
  printLines(formatStatus(status));
}
