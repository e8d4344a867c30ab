import type { Explanation } from "./explanation.js";

export const explanations: readonly Explanation[] = [
  {
    spec: "[sig-node] Security Context When creating a pod with privileged should run the container as unprivileged when false",
    cause:
      "gVisor of 2024-07: a link that may not be made is refused with EACCES, by Linux and [newer gVisor](https://github.com/google/gvisor/blob/master/pkg/sentry/socket/netlink/route/protocol.go) with EPERM, whose text the spec looks for",
  },
];
