import type { Command } from "commander";
import { withJsonOption, type JsonFlag } from "../options.js";
import { perform, printJson } from "../perform.js";

export function registerConfig(program: Command): void {
  const config = program
    .command("config")
    .summary("check a cluster's configuration file, or print its schema")
    .description("Works on files that say what `sandkube up --config` makes.");
  config
    .command("schema")
    .summary("print the JSON Schema of configurations")
    .description("Prints the JSON Schema of sandkube.dev/v1alpha1, for editors and checkers.")
    .action(async () => {
      await perform({}, async () => {
        const { clusterConfigSchema } = await import("../../index.js");
        printJson(clusterConfigSchema());
      });
    });
  const check = config
    .command("check")
    .summary("check a configuration")
    .description("Checks a configuration, starting nothing; - reads standard input.")
    .argument("<file>", "path of the configuration, or -");
  withJsonOption(check).action(async (file: string, _flags, self: Command) => {
    const flags = self.optsWithGlobals<JsonFlag>();
    await perform(flags, async () => {
      const { checkClusterConfig } = await import("../../index.js");
      const read = await checkClusterConfig(file === "-" ? process.stdin : file);
      if (flags.json) return printJson(read);
      process.stdout.write(`${file === "-" ? "The configuration" : file} is valid.\n`);
      for (const setting of read.ignored) process.stdout.write(`${setting} has no effect here.\n`);
    });
  });
}
