import type { SandboxKind } from "../../lab/src/index.js";

/** Why a spec does not pass, as found by looking into its failure. */
export interface Explanation {
  /** Text of the spec, or its beginning where it holds for several. */
  readonly spec: string;
  /** Where it holds; in every lab by default. */
  readonly labs?: readonly SandboxKind[];
  /** Markdown. */
  readonly cause: string;
}

/** Why a spec does not pass in a lab; null where nobody has found out. */
export function causeOf(
  explanations: readonly Explanation[],
  lab: string,
  name: string,
): string | null {
  return explanations.find((explanation) => explains(explanation, lab, name))?.cause ?? null;
}

export function explains({ spec, labs }: Explanation, lab: string, name: string): boolean {
  return name.startsWith(spec) && (labs === undefined || labs.some((kind) => kind === lab));
}
