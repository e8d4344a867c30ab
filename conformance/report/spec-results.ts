/** How one spec that was asked for went. */
export interface SpecResult {
  /** The whole text of the spec, by which `--focus` finds it. */
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly seconds: number;
  /** First line of the failure, or why the spec skipped itself; empty for one that passed. */
  readonly reason: string;
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
  /** 0 for a spec that was not asked for. */
  readonly NumAttempts: number;
  readonly Failure?: { readonly Message?: string; readonly ForwardedPanic?: string };
}

const nanosecondsPerSecond = 1e9;

/**
 * Reads the report that a suite writes with `--ginkgo.json-report`. A failure outside the specs, such
 * as one of the set-up, counts as a failed spec of the name of its node.
 */
export function specResults(json: string): SpecResult[] {
  const suites = JSON.parse(json) as readonly SuiteReport[];
  return suites
    .flatMap(({ SpecReports }) => SpecReports ?? [])
    .filter((spec) => (isSpec(spec) ? spec.NumAttempts > 0 : outcomeOf(spec.State) === "failed"))
    .map((spec) => ({
      name: nameOf(spec),
      outcome: outcomeOf(spec.State),
      seconds: spec.RunTime / nanosecondsPerSecond,
      reason: reasonOf(spec),
    }));
}

function isSpec({ LeafNodeType }: SpecReport): boolean {
  return LeafNodeType === "It";
}

function nameOf({ ContainerHierarchyTexts, LeafNodeText, LeafNodeType }: SpecReport): string {
  const text = [...(ContainerHierarchyTexts ?? []), LeafNodeText].join(" ").trim();
  return text === "" ? LeafNodeType : text;
}

function outcomeOf(state: string): SpecResult["outcome"] {
  if (state === "passed") return "passed";
  return state === "skipped" || state === "pending" ? "skipped" : "failed";
}

function reasonOf({ State, Failure }: SpecReport): string {
  if (State === "passed") return "";
  const text = [Failure?.Message, Failure?.ForwardedPanic].find(
    (part) => part !== undefined && part !== "",
  );
  const line = text?.split("\n").find((candidate) => candidate.trim() !== "");
  return line?.trim() ?? State;
}
