import type { ClusterOptions } from "../config/cluster-options.js";
import {
  enclosingIpv4Range,
  formatIpv4,
  parseIpv4Range,
  rangesOverlap,
} from "../config/ipv4-range.js";
import { SandkubeError } from "../errors.js";

const loopback = 127;
/** Where programs of a sandbox listen: 127.0.0.1, 127.0.0.11 (Docker), 127.0.0.53 (systemd-resolved). */
const usedByPrograms = enclosingIpv4Range("127.0.0.0/16");

/**
 * The Service range of a cluster in host-network mode: the one that was chosen, with 127 as its first
 * byte, such as 127.43.0.0/16 for 10.43.0.0/16. Clusters with ranges of their own thus stay apart.
 * Throws E_RANGE_TAKEN for a range in which programs of the sandbox listen.
 */
export function loopbackServiceRange({ serviceRange }: ClusterOptions): string {
  const { first, prefix } = parseIpv4Range(serviceRange);
  const range = { first: loopback * 2 ** 24 + (first % 2 ** 24), prefix };
  const text = `${formatIpv4(range.first)}/${prefix}`;
  if (!rangesOverlap(range, usedByPrograms)) return text;
  throw new SandkubeError(
    "E_RANGE_TAKEN",
    `the Service range ${serviceRange} becomes ${text} where pods share the node's network, and programs of the sandbox listen in 127.0.0.0/16`,
    {
      hint: "Choose another range, such as --service-range 10.43.0.0/16.",
      details: { range: text },
    },
  );
}
