import type { EndedSpec } from "../run/progress.js";

/** How one spec that was asked for went. */
export interface SpecResult {
  /** The whole text of the spec, by which `--focus` finds it. */
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly seconds: number;
  /** First line of the failure, or why the spec skipped itself; empty for one that passed. */
  readonly reason: string;
  /** Images of the spec's pods, without their registries, such as "agnhost:2.63.0"; absent: unknown. */
  readonly images?: readonly string[];
}

/** The parts of a suite in Ginkgo's JSON report that are read. */
interface SuiteReport {
  readonly SpecReports: readonly SpecReport[] | null;
}

interface SpecReport {
  readonly ContainerHierarchyTexts: readonly string[] | null;
  readonly LeafNodeType: string;
  readonly LeafNodeText: string;
  readonly State: string;
  /** Nanoseconds. */
  readonly RunTime: number;
  /** 0 for a spec that was not asked for, or was not come to. */
  readonly NumAttempts: number;
  readonly Failure?: { readonly Message?: string; readonly ForwardedPanic?: string };
}

const nanosecondsPerSecond = 1e9;

/**
 * Reads the report that a suite writes with `--json-report`. A failure outside the specs, such as one
 * of the set-up, counts as a failed spec of the name of its node.
 */
export function specResults(json: string): SpecResult[] {
  return specReports(json)
    .filter((spec) => (isSpec(spec) ? spec.NumAttempts > 0 : outcomeOf(spec) === "failed"))
    .map((spec) => ({
      name: nameOf(spec),
      outcome: outcomeOf(spec),
      seconds: spec.RunTime / nanosecondsPerSecond,
      reason: reasonOf(spec),
    }));
}

/** Names of the specs that a report of a dry run says would have been run. */
export function plannedSpecs(json: string): string[] {
  return specReports(json)
    .filter((spec) => isSpec(spec) && outcomeOf(spec) === "passed")
    .map(nameOf)
    .toSorted();
}

function specReports(json: string): SpecReport[] {
  const suites = JSON.parse(json) as readonly SuiteReport[];
  return suites.flatMap(({ SpecReports }) => SpecReports ?? []);
}

/** The result of a spec as the suite's output tells it. */
export function resultOf(ended: EndedSpec): SpecResult {
  const { name, seconds, reason } = ended;
  const outcome = outcomeOf({ State: ended.outcome });
  return { name, outcome, seconds, reason: outcome === "passed" ? "" : reason };
}

function isSpec({ LeafNodeType }: SpecReport): boolean {
  return LeafNodeType === "It";
}

function nameOf({ ContainerHierarchyTexts, LeafNodeText, LeafNodeType }: SpecReport): string {
  const text = [...(ContainerHierarchyTexts ?? []), LeafNodeText].join(" ").trim();
  return text === "" ? LeafNodeType : text;
}

function outcomeOf({ State }: Pick<SpecReport, "State">): SpecResult["outcome"] {
  if (State === "passed") return "passed";
  return State === "skipped" || State === "pending" ? "skipped" : "failed";
}

function reasonOf({ State, Failure }: SpecReport): string {
  if (State === "passed") return "";
  const lines = [Failure?.Message, Failure?.ForwardedPanic].flatMap(
    (part) => part?.split("\n") ?? [],
  );
  return lines.find((line) => line.trim() !== "")?.trim() ?? State;
}
