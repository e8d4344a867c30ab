import { networkInterfaces } from "node:os";
import type { ClusterOptions } from "../config/cluster-options.js";
import { parseIpv4Range, rangesOverlap } from "../config/ipv4-range.js";
import { SandkubeError } from "../errors.js";

/** An IPv4 network that a link of the sandbox is in. */
export interface AttachedNetwork {
  link: string;
  address: string;
}

/** The IPv4 addresses of the sandbox's links, the loopback link left out. */
export function attachedNetworks(): AttachedNetwork[] {
  return Object.entries(networkInterfaces()).flatMap(([link, addresses]) =>
    (addresses ?? [])
      .filter((address) => address.family === "IPv4" && !address.internal)
      .map(({ address }) => ({ link, address })),
  );
}

/**
 * Checks that no link of the sandbox has an address in the pod or the Service range: it
 * could no longer be reached. Throws E_RANGE_TAKEN.
 */
export function checkRanges(options: ClusterOptions, networks: readonly AttachedNetwork[]): void {
  const ranges = [
    { name: "pod range", range: options.podRange, flag: "--pod-range" },
    { name: "Service range", range: options.serviceRange, flag: "--service-range" },
  ];
  for (const { name, range, flag } of ranges) {
    const parsed = parseIpv4Range(range);
    const clash = networks.find(({ address }) =>
      rangesOverlap(parsed, parseIpv4Range(`${address}/32`)),
    );
    if (clash === undefined) continue;
    throw new SandkubeError(
      "E_RANGE_TAKEN",
      `the ${name} ${range} contains ${clash.address}, the address of the link ${clash.link}`,
      {
        hint: `Choose another range with ${flag}; each cluster in a sandbox needs ranges of its own.`,
        details: { range, ...clash },
      },
    );
  }
}
