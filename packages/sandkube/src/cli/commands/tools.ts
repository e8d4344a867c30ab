import type { Command } from "commander";
import type { ClusterReference, ToolName } from "../../index.js";
import { printError } from "../error-printer.js";
import { clusterReference, type ClusterFlags } from "../options.js";

const descriptions: Readonly<Record<ToolName, string>> = {
  kubectl: "run kubectl for the cluster",
  helm: "run helm for the cluster",
  ctr: "run containerd's ctr for the cluster's images and containers",
};

const forwardedSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Declares kubectl, helm and ctr, whose arguments are passed on untouched. */
export function registerTools(program: Command): void {
  for (const [tool, description] of Object.entries(descriptions)) {
    program
      .command(tool)
      .usage("[arguments...]")
      .description(description)
      .argument("[arguments...]")
      .helpOption(false)
      .allowUnknownOption()
      .passThroughOptions()
      .action(async (args: string[], _flags, self: Command) => {
        const reference = clusterReference(self.optsWithGlobals<ClusterFlags>());
        try {
          process.exitCode = await runTool(tool as ToolName, args, reference);
        } catch (error) {
          process.exitCode = await printError(error);
        }
      });
  }
}

/** Runs a tool to its end and gives its exit code, as a shell would. */
async function runTool(
  tool: ToolName,
  args: readonly string[],
  reference: ClusterReference,
): Promise<number> {
  const { shellExitCode, startTool } = await import("../../quick.js");
  const child = await startTool(tool, args, reference);
  const forward = (signal: NodeJS.Signals) => {
    // A terminal sends Ctrl-C to the tool itself too: once is enough.
    if (signal === "SIGINT" && process.stdin.isTTY) return;
    child.kill(signal);
  };
  for (const signal of forwardedSignals) process.on(signal, forward);
  const exitCode = shellExitCode(await child.exited);
  for (const signal of forwardedSignals) process.off(signal, forward);
  if (exitCode !== 0) await hintAtStoppedCluster(reference);
  return exitCode;
}

/** A tool that failed for want of a cluster does not know what to do about it. */
async function hintAtStoppedCluster(reference: ClusterReference): Promise<void> {
  const { clusterStatus, SandkubeError } = await import("../../quick.js");
  try {
    const { name, state } = await clusterStatus(reference);
    if (state === "running" || state === "starting") return;
    process.stderr.write(
      `sandkube: the cluster ${name} is ${state}; \`sandkube up\` resumes it.\n`,
    );
  } catch (error) {
    const { message, hint } = SandkubeError.from(error);
    process.stderr.write(`sandkube: ${message}.${hint === undefined ? "" : ` ${hint}`}\n`);
  }
}
