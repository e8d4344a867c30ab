import type { Command } from "commander";
import type { RoleName } from "../../index.js";
import { clusterReference, parseCount, withClusterOptions, type ClusterFlags } from "../options.js";
import { perform } from "../perform.js";

interface LogsFlags extends ClusterFlags {
  follow?: boolean;
  tail?: number;
}

export function registerLogs(program: Command): void {
  const command = program
    .command("logs")
    .summary("print the logs of a cluster's parts")
    .description("Prints the logs of a cluster's parts; of all of them when none is named.")
    .argument("[part]", "supervisor, control-plane, node-init, containerd, network or node");
  withClusterOptions(command)
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
  const { clusterLogs, roleNames, SandkubeError } = await import("../../index.js");
  const isRole = (name: string): name is RoleName => roleNames.some((role) => role === name);
  if (part !== undefined && !isRole(part)) {
    throw new SandkubeError("E_USAGE", `there is no part "${part}"`, {
      hint: `The parts are ${roleNames.join(", ")}.`,
    });
  }
  const lines = clusterLogs({
    ...clusterReference(flags),
    roles: part === undefined ? undefined : [part],
    tail: flags.tail,
    follow: flags.follow,
    signal,
  });
  const width = Math.max(...roleNames.map((role) => role.length));
  for await (const { role, line } of lines) {
    const prefix = part === undefined ? `${role.padEnd(width)} | ` : "";
    process.stdout.write(`${prefix}${line}\n`);
  }
}
