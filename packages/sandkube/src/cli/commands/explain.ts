import type { Command } from "commander";
import type { Adaptation, AppliedAdaptation } from "../../index.js";
import {
  clusterReference,
  withDataOption,
  withJsonOption,
  type ClusterFlags,
  type JsonFlag,
} from "../options.js";
import { perform, printJson, printLines } from "../perform.js";
import { formatEvidence } from "../reports/doctor-text.js";
import { table } from "../table.js";

type ExplainFlags = ClusterFlags & JsonFlag;

export function registerExplain(program: Command): void {
  const command = program
    .command("explain")
    .summary("explain an adaptation, or list them")
    .description(
      "Explains one adaptation, with what was found here; lists all of them when none is named.",
    )
    .argument("[id]", "the adaptation");
  withJsonOption(withDataOption(command)).action(
    async (id: string | undefined, _flags, self: Command) => {
      const flags = self.optsWithGlobals<ExplainFlags>();
      await perform(flags, (signal) =>
        id === undefined ? listAll(flags) : explain(id, flags, signal),
      );
    },
  );
}

async function listAll(flags: ExplainFlags): Promise<void> {
  const { adaptations } = await import("../../index.js");
  if (flags.json) return printJson(adaptations);
  printLines(table(adaptations.map(({ id, title }) => [id, title])));
}

async function explain(id: string, flags: ExplainFlags, signal: AbortSignal): Promise<void> {
  const { adaptationById, doctor, SandkubeError } = await import("../../index.js");
  const adaptation = adaptationById(id);
  if (adaptation === undefined) {
    throw new SandkubeError("E_USAGE", `there is no adaptation "${id}"`, {
      hint: "`sandkube explain` lists them.",
    });
  }
  const { report } = await doctor({ dataDirectory: clusterReference(flags).dataDirectory, signal });
  const applied = report.adaptations.find((candidate) => candidate.id === id) ?? null;
  if (flags.json) return printJson({ ...adaptation, evidence: applied?.evidence ?? null });
  printLines(formatAdaptation(adaptation, evidenceLines(applied)));
}

function evidenceLines(applied: AppliedAdaptation | null): string[] {
  return applied === null ? ["not needed here"] : applied.evidence.map(formatEvidence);
}

function formatAdaptation(adaptation: Adaptation, evidence: readonly string[]): string[] {
  return [
    `${adaptation.id}: ${adaptation.title}`,
    ...section("Why", [adaptation.reason]),
    ...section("Applies when", [adaptation.when]),
    ...section("Here", evidence),
    ...section("Effect", [adaptation.effect]),
    ...section("You lose", [adaptation.loses ?? "nothing"]),
    ...section("Upstream", adaptation.upstream),
  ];
}

function section(heading: string, lines: readonly string[]): string[] {
  return ["", `${heading}:`, ...lines.map((line) => `  ${line}`)];
}
