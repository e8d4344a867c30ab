import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import {
  clusterReference,
  withClusterOptions,
  withJsonOption,
  type ClusterFlags,
  type JsonFlag,
} from "../options.js";
import { perform, printJson } from "../perform.js";
import { formatBytes } from "../units.js";

interface ExportFlags extends ClusterFlags, JsonFlag {
  output?: string;
}

export function registerExport(program: Command): void {
  const command = program
    .command("export")
    .summary("collect logs and facts in one file")
    .description("Writes archives to give to others.");
  const logs = command
    .command("logs")
    .summary("logs, facts, plan and configuration, without secrets")
    .description(
      "Writes one archive with all that helps to understand what a cluster did: versions, the sandbox's facts, plan, status, configuration and logs, without keys and passwords.",
    );
  withJsonOption(withClusterOptions(logs))
    .option(
      "-o, --output <file>",
      "where to write it, - for standard output (default: sandkube-NAME-TIME.tar.gz here)",
    )
    .action(async (_flags, self: Command) => {
      const flags = self.optsWithGlobals<ExportFlags>();
      await perform(flags, (signal) => runExport(flags, signal));
    });
}

async function runExport(flags: ExportFlags, signal: AbortSignal): Promise<void> {
  const { exportLogs, SandkubeError } = await import("../../index.js");
  const { name, archive, files } = await exportLogs({ ...clusterReference(flags), signal });
  if (flags.output === "-") {
    process.stdout.write(archive);
    return;
  }
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const path = resolve(flags.output ?? `sandkube-${name}-${time}.tar.gz`);
  try {
    // Logs name images, hosts and users: others need not read them.
    await writeFile(path, archive, { mode: 0o600 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SandkubeError("E_USAGE", `the archive can not be written: ${reason}`, {
      hint: "Choose another place with --output.",
      cause,
    });
  }
  if (flags.json) return printJson({ path, sizeBytes: archive.length, files });
  process.stdout.write(`${path} (${files.length} files, ${formatBytes(archive.length)})\n`);
}
