import { resolve } from "node:path";
import type { Command } from "commander";
import { accountOf, withAccountOptions, type AccountFlags } from "../account.js";
import {
  clusterReference,
  withDataOption,
  withJsonOption,
  type ClusterFlags,
  type JsonFlag,
} from "../options.js";
import { perform, printJson, printLines, printResultLine } from "../perform.js";
import { formatRegistryStep } from "../reports/registry-step.js";
import { formatDoctor } from "../reports/doctor-text.js";

interface DoctorFlags extends ClusterFlags, JsonFlag, AccountFlags {
  registry?: string;
  registriesConfig?: string;
  insecure?: boolean;
}

export function registerDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .summary("say what this sandbox allows, and what would be adapted and lost")
    .description(
      "Tries what this sandbox allows, changing nothing, and says which modes can run, what up would adapt and what is lost by that.",
    );
  withJsonOption(withDataOption(command))
    .option(
      "--registry <reference>",
      "test the way to an image in a registry step by step instead, as a cluster started now would pull it",
    )
    .option("--registries-config <file>", "the registries.yaml to test with")
    .option("--insecure", "accept any certificate, and HTTP where there is no TLS");
  withAccountOptions(command).action(async (_flags, self: Command) => {
    const flags = self.optsWithGlobals<DoctorFlags>();
    await perform(flags, async (signal) => {
      if (flags.registry !== undefined) return await testRegistry(flags.registry, flags, signal);
      const { doctor } = await import("../../index.js");
      const { dataDirectory } = clusterReference(flags);
      const { report, facts } = await doctor({ dataDirectory, signal });
      if (flags.json) return printJson({ ...report, facts: facts.facts });
      printLines(formatDoctor(report));
    });
  });
}

async function testRegistry(
  reference: string,
  flags: DoctorFlags,
  signal: AbortSignal,
): Promise<void> {
  const account = await accountOf(flags);
  const { examineRegistry } = await import("../../index.js");
  await examineRegistry(reference, {
    registriesConfig:
      flags.registriesConfig === undefined ? undefined : resolve(flags.registriesConfig),
    insecure: flags.insecure,
    account,
    signal,
    onStep: (step) =>
      printLines([
        flags.json ? JSON.stringify({ type: "registry-step", ...step }) : formatRegistryStep(step),
      ]),
  });
  if (flags.json) printResultLine({ type: "result", command: "doctor --registry", reference });
  else printLines([`${reference} can be pulled.`]);
}
