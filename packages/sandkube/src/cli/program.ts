import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Command } from "commander";
import { registerCompletion } from "./commands/completion.js";
import { registerConfig } from "./commands/config.js";
import { registerDelete } from "./commands/delete.js";
import { registerDoctor } from "./commands/doctor.js";
import { registerDown } from "./commands/down.js";
import { registerExplain } from "./commands/explain.js";
import { registerExport } from "./commands/export.js";
import { registerImage } from "./commands/image.js";
import { registerKubeconfig } from "./commands/kubeconfig.js";
import { registerList } from "./commands/list.js";
import { registerLogs } from "./commands/logs.js";
import { registerPorts } from "./commands/ports.js";
import { registerPrograms } from "./commands/programs.js";
import { registerStatus } from "./commands/status.js";
import { registerTools } from "./commands/tools.js";
import { registerUp } from "./commands/up.js";
import { registerVersion } from "./commands/version.js";

const firstSteps = `
First steps:
  sandkube doctor               what this sandbox allows
  sandkube up                   start Kubernetes
  sandkube kubectl get pods -A  use it
  sandkube delete               remove it without a trace`;

/**
 * The command line. Commands load the library only when they run, so that help and completion
 * are quick; those that are to answer at once load its part `quick` alone.
 */
export function createProgram(): Command {
  const program = new Command("sandkube")
    .description("Kubernetes, pods included, inside the sandbox you already have.")
    .version(packageVersion(), "-V, --version", "print the version of sandkube")
    .enablePositionalOptions()
    .exitOverride()
    // Whatever is wrong with a command line is printed as all other errors are.
    .configureOutput({ outputError: () => {} })
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: false })
    .option(
      "--name <cluster>",
      "the cluster that a command is for (default: SANDKUBE_CLUSTER or default)",
    )
    .option("--data <directory>", "the directory that holds all clusters (default: SANDKUBE_DATA)")
    .addHelpText("after", firstSteps);
  registerUp(program);
  registerStatus(program);
  registerDown(program);
  registerDelete(program);
  registerList(program);
  registerConfig(program);
  registerKubeconfig(program);
  registerTools(program);
  registerImage(program);
  registerPorts(program);
  registerLogs(program);
  registerExport(program);
  registerDoctor(program);
  registerExplain(program);
  registerPrograms(program);
  registerVersion(program);
  registerCompletion(program);
  return program;
}

function packageVersion(): string {
  // By the package's own name: the code is bundled, so that no path relative to a source file leads there.
  const manifest = createRequire(import.meta.url).resolve("sandkube/package.json");
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  return version;
}
