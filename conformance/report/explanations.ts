/** Why a conformance spec does not pass, as found by looking into its failure. */
export interface Explanation {
  /** Text of the spec, or its beginning where it holds for several. */
  readonly spec: string;
  readonly cause: string;
}

export const explanations: readonly Explanation[] = [
  {
    spec: "[sig-architecture] Conformance Tests should have at least two untainted nodes",
    cause: "needs two nodes",
  },
  {
    spec: "[sig-apps] Daemon set [Serial] should rollback without unnecessary restarts",
    cause: "needs two nodes",
  },
  {
    spec: "[sig-node] Security Context When creating a pod with privileged should run the container as unprivileged when false",
    cause:
      "gVisor of 2024-07: a link that may not be made is refused with EACCES, by Linux and [newer gVisor](https://github.com/google/gvisor/blob/master/pkg/sentry/socket/netlink/route/protocol.go) with EPERM, whose text the spec looks for",
  },
  {
    spec: "[sig-node] Pod InPlace Resize Container guaranteed pods with multiple containers 3 containers - increase cpu & mem on c1, c2",
    cause:
      'not found yet: a container\'s first process had ended before it was to start ("cannot start a stopped process"); seen once',
  },
];

/** Why a spec does not pass; null where nobody has found out. */
export function causeOf(name: string): string | null {
  return explanations.find(({ spec }) => name.startsWith(spec))?.cause ?? null;
}
