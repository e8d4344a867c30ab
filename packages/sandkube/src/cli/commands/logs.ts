import type { Command } from "commander";
import { clusterReference, parseCount, withClusterOptions, type ClusterFlags } from "../options.js";
import { perform } from "../perform.js";

interface LogsFlags extends ClusterFlags {
  node?: string;
  follow?: boolean;
  tail?: number;
}

export function registerLogs(program: Command): void {
  const command = program
    .command("logs")
    .summary("print the logs of a cluster's parts")
    .description("Prints the logs of a cluster's parts; of all of them when none is named.")
    .argument(
      "[part]",
      "supervisor, control-plane, network, node-init, containerd or node; network-init with several nodes",
    );
  withClusterOptions(command)
    .option("--node <name>", "only of this node, such as node-2")
    .option("-f, --follow", "go on with new lines until Ctrl-C")
    .option("--tail <lines>", "only the last lines of each part", parseCount)
    .action(async (part: string | undefined, _flags, self: Command) => {
      const flags = self.optsWithGlobals<LogsFlags>();
      await perform({}, (signal) => runLogs(part, flags, signal));
    });
}

async function runLogs(
  part: string | undefined,
  flags: LogsFlags,
  signal: AbortSignal,
): Promise<void> {
  const { clusterLogs, clusterRoles } = await import("../../index.js");
  const reference = clusterReference(flags);
  const roles = await clusterRoles({ ...reference, part, node: flags.node });
  const lines = clusterLogs({
    ...reference,
    roles,
    tail: flags.tail,
    follow: flags.follow,
    signal,
  });
  const width = Math.max(...roles.map((role) => role.length));
  for await (const { role, line } of lines) {
    const prefix = roles.length > 1 ? `${role.padEnd(width)} | ` : "";
    process.stdout.write(`${prefix}${line}\n`);
  }
}
