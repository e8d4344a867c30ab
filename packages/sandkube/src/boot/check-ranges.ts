import { networkInterfaces } from "node:os";
import type { ClusterOptions } from "../config/cluster-options.js";
import {
  enclosingIpv4Range,
  parseIpv4Range,
  rangesOverlap,
  type Ipv4Range,
} from "../config/ipv4-range.js";
import { SandkubeError } from "../errors.js";

/** An IPv4 network that a link of the sandbox is in. */
export interface AttachedNetwork {
  link: string;
  /** The link's address with the length of its network's prefix, such as "192.0.2.7/24". */
  address: string;
}

/** Private ranges to suggest, by RFC 1918 and RFC 6598. */
const alternatives = [
  ...["10.44.0.0/16", "10.45.0.0/16", "172.30.0.0/16", "172.31.0.0/16"],
  ...["192.168.0.0/17", "192.168.128.0/17", "100.64.0.0/16", "100.65.0.0/16"],
];

/** The IPv4 networks of the sandbox's links, the loopback link left out. */
export function attachedNetworks(): AttachedNetwork[] {
  return Object.entries(networkInterfaces()).flatMap(([link, addresses]) =>
    (addresses ?? []).flatMap(({ family, internal, cidr }) =>
      family === "IPv4" && !internal && cidr !== null ? [{ link, address: cidr }] : [],
    ),
  );
}

/**
 * Checks that no network that a link of the sandbox is in overlaps the pod or the Service range:
 * its addresses could no longer be reached. Throws E_RANGE_TAKEN with a range that is free.
 */
export function checkRanges(options: ClusterOptions, networks: readonly AttachedNetwork[]): void {
  const ranges = [
    { name: "pod range", range: options.podRange, flag: "--pod-range" },
    { name: "Service range", range: options.serviceRange, flag: "--service-range" },
  ];
  for (const { name, range, flag } of ranges) {
    const clash = networks.find(({ address }) =>
      rangesOverlap(parseIpv4Range(range), enclosingIpv4Range(address)),
    );
    if (clash === undefined) continue;
    const taken = [
      ...networks.map(({ address }) => enclosingIpv4Range(address)),
      ...ranges.map((other) => parseIpv4Range(other.range)),
    ];
    throw new SandkubeError(
      "E_RANGE_TAKEN",
      `the ${name} ${range} overlaps the network of the link ${clash.link}, which is ${clash.address}`,
      {
        hint: `Choose another range${suggestion(flag, taken)}; each cluster in a sandbox needs ranges of its own.`,
        details: { range, ...clash },
      },
    );
  }
}

function suggestion(flag: string, taken: readonly Ipv4Range[]): string {
  const free = alternatives.find(
    (range) => !taken.some((other) => rangesOverlap(parseIpv4Range(range), other)),
  );
  return free === undefined ? ` with ${flag}` : `, such as ${flag} ${free}`;
}
