import type { Command } from "commander";
import type { InstalledPrograms } from "../../index.js";
import {
  clusterReference,
  withDataOption,
  withJsonOption,
  type ClusterFlags,
  type JsonFlag,
} from "../options.js";
import { perform, printJson, printLines } from "../perform.js";
import { table } from "../table.js";

type ProgramsFlags = ClusterFlags & JsonFlag;

export function registerPrograms(program: Command): void {
  const programs = program
    .command("programs")
    .summary("check the installed programs, or copy them to where they can be executed")
    .description(
      "sandkube's programs (Kubernetes, containerd, runc) come in a package for each kind of machine.",
    );
  const verify = programs
    .command("verify")
    .summary("compare the programs with their digests")
    .description("Says where the programs are, and compares each with its digest.");
  withJsonOption(withDataOption(verify)).action(async (_flags, self: Command) => {
    const flags = self.optsWithGlobals<ProgramsFlags>();
    await perform(flags, async (signal) => {
      const { verifyPrograms } = await import("../../index.js");
      const { dataDirectory } = clusterReference(flags);
      report(await verifyPrograms({ dataDirectory, signal }), flags);
    });
  });
  const install = programs
    .command("install")
    .summary("copy the programs to the data directory")
    .description(
      "Copies the installed programs to the data directory, from where they are used afterwards: for a package whose files lost their executable bits, or that lies on a file system without execution.",
    );
  withJsonOption(withDataOption(install)).action(async (_flags, self: Command) => {
    const flags = self.optsWithGlobals<ProgramsFlags>();
    await perform(flags, async (signal) => {
      const { installPrograms } = await import("../../index.js");
      const { dataDirectory } = clusterReference(flags);
      report(await installPrograms({ dataDirectory, signal }), flags);
    });
  });
}

function report(programs: InstalledPrograms, flags: ProgramsFlags): void {
  if (flags.json) return printJson(programs);
  const { directory, version, components } = programs;
  printLines(
    table([["directory", directory], ["sandkube", version], ...Object.entries(components)]),
  );
}
