/** Why a conformance spec does not pass, as found by looking into its failure. */
export interface Explanation {
  /** Text of the spec, or its beginning where it holds for several. */
  readonly spec: string;
  readonly cause: string;
}

export const explanations: readonly Explanation[] = [
  {
    spec: "[sig-node] ImageVolume should succeed with pod and pull policy of Always",
    cause: "image: it has to be pulled from its registry, and the lab has none",
  },
  {
    spec: "[sig-architecture] Conformance Tests should have at least two untainted nodes",
    cause: "needs two nodes",
  },
  {
    spec: "[sig-node] Sysctls [LinuxOnly] [NodeConformance] should support sysctls",
    cause: "gVisor: it has no /proc/sys/kernel/shm_rmid_forced",
  },
];

/** Why a spec does not pass; null where nobody has found out. */
export function causeOf(name: string): string | null {
  return explanations.find(({ spec }) => name.startsWith(spec))?.cause ?? null;
}
