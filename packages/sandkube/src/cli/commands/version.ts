import type { Command } from "commander";
import { withJsonOption, type JsonFlag } from "../options.js";
import { perform, printJson, printLines } from "../perform.js";
import { table } from "../table.js";

export function registerVersion(program: Command): void {
  const command = program
    .command("version")
    .summary("print the versions of sandkube and its components")
    .description("Prints the versions of sandkube and of what it is built from.");
  withJsonOption(command).action(async (_flags, self: Command) => {
    const flags = self.optsWithGlobals<JsonFlag>();
    await perform(flags, async () => {
      const { versions } = await import("../../index.js");
      const { sandkube, programs, missing } = await versions();
      if (flags.json) return printJson({ sandkube, programs, missing });
      const components = Object.entries(programs?.components ?? {});
      printLines(table([["sandkube", sandkube], ...components]));
      if (missing !== null) process.stderr.write(`${missing.message}. ${missing.hint ?? ""}\n`);
    });
  });
}
