/** Why a conformance spec does not pass, as found by looking into its failure. */
export interface Explanation {
  /** Text of the spec, or its beginning where it holds for several. */
  readonly spec: string;
  readonly cause: string;
}

export const explanations: readonly Explanation[] = [];

/** Why a spec does not pass; null where nobody has found out. */
export function causeOf(name: string): string | null {
  return explanations.find(({ spec }) => name.startsWith(spec))?.cause ?? null;
}
