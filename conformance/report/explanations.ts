/** Why a conformance spec does not pass, as found by looking into its failure. */
export interface Explanation {
  /** Text of the spec, or its beginning where it holds for several. */
  readonly spec: string;
  readonly cause: string;
}

export const explanations: readonly Explanation[] = [
  {
    spec: "[sig-node] Security Context When creating a pod with privileged should run the container as unprivileged when false",
    cause:
      "gVisor of 2024-07: a link that may not be made is refused with EACCES, by Linux and [newer gVisor](https://github.com/google/gvisor/blob/master/pkg/sentry/socket/netlink/route/protocol.go) with EPERM, whose text the spec looks for",
  },
];

/** Why a spec does not pass; null where nobody has found out. */
export function causeOf(name: string): string | null {
  return explanations.find(({ spec }) => name.startsWith(spec))?.cause ?? null;
}
