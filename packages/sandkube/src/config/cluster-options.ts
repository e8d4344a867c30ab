import { isAbsolute } from "node:path";
import { z } from "zod";
import { SandkubeError } from "../errors.js";
import { clusterModes } from "../events.js";
import { maxNodes } from "../node-names.js";
import { isIpv4Range, parseIpv4Range, rangesOverlap } from "./ipv4-range.js";

/** The length of the prefix of each node's part of the pod range. */
export const nodePodRangePrefix = 24;

/**
 * A cluster's name: it is part of paths, link names and a kubeconfig context. `images` in the data
 * directory is where users put images.
 */
export const clusterNamePattern = /^(?!images$)[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/;

const port = (name: string) =>
  z
    .number(`${name} is a number between 1 and 65535`)
    .int(`${name} is a whole number`)
    .min(1, `${name} is at least 1`)
    .max(65535, `${name} is at most 65535`);

/** A CIDR whose prefix length lies within bounds. */
const range = (name: string, bounds: { widest: number; narrowest: number }) =>
  z.string(`${name} is a text such as 10.42.0.0/16`).superRefine((text, context) => {
    try {
      const { prefix } = parseIpv4Range(text);
      if (prefix < bounds.widest || prefix > bounds.narrowest) {
        context.addIssue(
          `${name} ${text} must have a prefix from /${bounds.widest} to /${bounds.narrowest}`,
        );
      }
    } catch (error) {
      context.addIssue(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  });

export const clusterOptionsSchema = z
  .strictObject({
    /** Distinguishes clusters in one sandbox. */
    name: z
      .string("name is a text")
      .regex(clusterNamePattern, "name has 1 to 32 of a-z, 0-9 and inner dashes, and is not images")
      .default("default"),
    /**
     * `node` runs a node, and fails where the sandbox allows none: `full`, whose pods have networks of
     * their own, where that can be had, else `host-network`, whose pods share the node's.
     * `control-plane` runs none; `auto` takes the richest of all that the sandbox allows.
     */
    mode: z
      .enum(["auto", "node", ...clusterModes], `mode is auto, node, ${clusterModes.join(" or ")}`)
      .default("node"),
    /** How many nodes there are, all in this sandbox; the first one is the control plane's. */
    nodes: z
      .number("nodes is a number")
      .int("nodes is a whole number")
      .min(1, "nodes is at least 1")
      .max(maxNodes, `nodes is at most ${maxNodes}`)
      .default(1),
    /** TCP port of the API server. */
    apiPort: port("apiPort").default(6443),
    /** Address on which the API server listens; the loopback address keeps it inside the sandbox. */
    bindAddress: z.ipv4("bindAddress is an IPv4 address").default("127.0.0.1"),
    kubeletPort: port("kubeletPort").default(10250),
    /** IPv4 range of all pods; each node gets a /24 of it. */
    podRange: range("podRange", { widest: 8, narrowest: 24 }).default("10.42.0.0/16"),
    /** IPv4 range of Services; the API server takes at most 20 host bits. */
    serviceRange: range("serviceRange", { widest: 12, narrowest: 28 }).default("10.43.0.0/16"),
    /**
     * Tell pods of the sandbox's HTTP proxies and CA certificates, by environment variables; left
     * open: as at the last `up`, at first not.
     */
    proxyPods: z.boolean("proxyPods is true or false").optional(),
    /**
     * Absolute path of a registries.yaml as k3s reads it: mirrors, certificates and accounts for
     * image pulls. Left open: as at the last `up`, at first the usual places.
     */
    registriesConfig: z
      .string("registriesConfig is a text")
      .refine(isAbsolute, "registriesConfig is an absolute path")
      .optional(),
    /**
     * Absolute path of a directory with archives of images, and with lists of images to pull, for
     * the node. Left open: as at the last `up`, at first `images` in the data directory or k3s' own.
     */
    imagesDirectory: z
      .string("imagesDirectory is a text")
      .refine(isAbsolute, "imagesDirectory is an absolute path")
      .optional(),
    /** Absolute path of the directory that holds all clusters. */
    dataDirectory: z
      .string("dataDirectory is a text")
      .refine(isAbsolute, "dataDirectory is an absolute path"),
    /** Limit of one `up`, in milliseconds. */
    timeoutMs: z
      .number("timeoutMs is a number of milliseconds")
      .positive("timeoutMs is more than 0")
      .default(180_000),
    /** Keep what a failed `up` has made, for a look at it. */
    retain: z.boolean("retain is true or false").default(false),
  })
  .superRefine((options, context) => {
    if (options.apiPort === options.kubeletPort) {
      context.addIssue({
        code: "custom",
        path: ["kubeletPort"],
        message: `apiPort and kubeletPort are both ${options.apiPort}`,
      });
    }
    const problem = nodesProblem(options);
    if (problem !== null) {
      context.addIssue({ code: "custom", path: ["nodes"], message: problem });
    }
    if (isIpv4Range(options.podRange) && isIpv4Range(options.serviceRange)) {
      if (rangesOverlap(parseIpv4Range(options.podRange), parseIpv4Range(options.serviceRange))) {
        context.addIssue({
          code: "custom",
          path: ["serviceRange"],
          message: `serviceRange ${options.serviceRange} overlaps podRange ${options.podRange}`,
        });
      }
    }
  });

/** Why a number of nodes can not be had with the other settings; null when it can. */
function nodesProblem({
  mode,
  nodes,
  podRange,
}: {
  mode: string;
  nodes: number;
  podRange: string;
}): string | null {
  if (nodes === 1) return null;
  if (mode === "control-plane") return `nodes is ${nodes}, but mode control-plane has no node`;
  if (mode === "host-network") {
    return `nodes is ${nodes}, but mode host-network has one node: all pods share its network`;
  }
  if (!isIpv4Range(podRange)) return null;
  const { prefix } = parseIpv4Range(podRange);
  const room = 2 ** Math.max(0, nodePodRangePrefix - prefix);
  return nodes <= room
    ? null
    : `podRange ${podRange} has room for ${room} nodes with a /${nodePodRangePrefix} each, not for ${nodes}`;
}

/** A cluster's settings, complete. */
export type ClusterOptions = z.output<typeof clusterOptionsSchema>;

/** A cluster's settings as a caller gives them: all but dataDirectory have defaults. */
export type ClusterOptionsInput = z.input<typeof clusterOptionsSchema>;

/** Completes and checks a cluster's settings. Throws E_CONFIG that names every invalid one. */
export function parseClusterOptions(input: ClusterOptionsInput): ClusterOptions {
  const parsed = clusterOptionsSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => ({
    option: issue.path.join("."),
    message: issue.message,
  }));
  throw new SandkubeError("E_CONFIG", problems.map((problem) => problem.message).join("; "), {
    details: { problems },
  });
}
