import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { formatIpv4, parseIpv4Range, type Ipv4Range } from "../config/ipv4-range.js";
import {
  clusterNamePattern,
  nodePodRangePrefix,
  type ClusterOptions,
} from "../config/cluster-options.js";
import { nodeName, nodeNumbers } from "../node-names.js";
import { SandkubeError } from "../errors.js";
import type { ClusterMode } from "../events.js";
import { loopbackServiceRange } from "./loopback-service-range.js";

const absolutePath = z.string().startsWith("/");
const port = z.number().int().min(1).max(65535);

/** What all nodes of a cluster have in common, since they live in one sandbox. */
export const nodeSectionSchema = z.strictObject({
  kubeletPort: port.describe("at each node's address"),
  cgroup: z.strictObject({
    mountControllers: z
      .array(z.string())
      .describe(
        "version 1 controllers to mount, each on its own; empty: the mounted ones are used",
      ),
  }),
  standIns: z.strictObject({
    sysctls: z
      .record(z.string(), z.string())
      .describe('names below /proc/sys, such as "kernel/panic", to their content'),
    kmsg: z.boolean().describe("put an empty file at /dev/kmsg"),
  }),
  containerd: z.strictObject({
    snapshotter: z.enum(["overlayfs", "native"]),
    snapshotTmpfsBytes: z
      .int()
      .nonnegative()
      .describe("size of the tmpfs for snapshots; 0: on disk"),
    unprivilegedPorts: z.boolean(),
    unprivilegedIcmp: z.boolean(),
    newKeyring: z.boolean().describe("runc joins a new session keyring for each container"),
    restrictOomScoreAdj: z.boolean(),
  }),
  images: z.strictObject({
    directory: absolutePath.describe(
      "archives in it are imported and lists of references pulled, at the start and while the node runs; it need not exist",
    ),
  }),
  oci: z.strictObject({
    dropNamespaces: z.array(z.enum(["cgroup", "pid"])),
    dropMaskedDirectories: z.boolean(),
    dropSeccomp: z.boolean(),
    anyProcRoot: z.boolean().describe("accept a procfs whose root inode is not 1"),
    sysctlStandIns: z
      .boolean()
      .describe("pods get stand-ins for kernel settings that they ask for and the kernel lacks"),
    environment: z
      .record(z.string(), z.string())
      .describe("what containers get of variables that they do not set themselves"),
    caBundle: z
      .union([absolutePath, z.literal("")])
      .describe("file of CA certificates that containers get; empty: none"),
  }),
  network: z.strictObject({
    mode: z
      .enum(["bridge", "host"])
      .describe(
        "bridge: each pod has a network of its own, joined to the bridge; host: pods share the node's, and of what follows only dnsAddress has a meaning",
      ),
    bridge: z
      .string()
      .max(11)
      .describe("names of further links start with it; empty in host-network mode"),
    mtu: z.number().int().min(576).max(65536).describe("bytes; set on the bridge and on each veth"),
    serviceAddress: z
      .union([z.ipv4(), z.literal("")])
      .describe(
        "the address in the pod range by which the Service range is reached; empty in host-network mode",
      ),
    gatewayAddress: z
      .union([z.ipv4(), z.literal("")])
      .describe("the address in the pod range by which pods reach all else; empty: there is none"),
    dnsAddress: z.ipv4().describe("the ClusterIP of the cluster's DNS"),
    loopbackPorts: z
      .array(port)
      .describe(
        "TCP ports of the sandbox's loopback address that pods reach at the node's address",
      ),
  }),
  kubelet: z.strictObject({
    iptables: z.boolean().describe("the kubelet keeps its own iptables chains"),
    environment: z.record(z.string(), z.string()).describe("added to the node role's environment"),
  }),
});

/** What makes one node of a cluster. */
const clusterNodeSchema = z.strictObject({
  name: z.string().min(1),
  address: z
    .ipv4()
    .describe("the node's InternalIP; of the pod bridge, or of the sandbox in host-network mode"),
  podRange: z.cidrv4().describe("the range that this node gives to its pods"),
  cgroupRoot: z
    .string()
    .regex(/^\/[^/]/)
    .describe("the cgroup, in every hierarchy, under which the pods live"),
});

/** The one document that tells the runtime everything it needs. */
export const nodeSpecSchema = z.strictObject({
  apiVersion: z.literal("sandkube.dev/v1alpha1"),
  kind: z.literal("NodeSpec"),
  cluster: z.strictObject({
    name: z.string().regex(clusterNamePattern),
    directory: absolutePath.describe("holds all of the cluster's state"),
  }),
  programs: absolutePath.describe("the directory of sandkube's programs"),
  egress: z.strictObject({
    environment: z
      .record(z.string(), z.string())
      .describe("replaces proxy variables and places of CA certificates for every role"),
  }),
  controlPlane: z.strictObject({
    bindAddress: z.ipv4(),
    port,
    advertiseAddress: z
      .ipv4()
      .describe("the endpoint of default/kubernetes; never a loopback address"),
    serviceRange: z.cidrv4().describe("in host-network mode a part of 127.0.0.0/8"),
    podRange: z.cidrv4(),
  }),
  node: nodeSectionSchema
    .nullable()
    .describe("what all nodes have in common; null: the control plane alone"),
  nodes: z
    .array(clusterNodeSchema)
    .describe("the nodes, none without `node`; the API server is found at the first one"),
});

export type NodeSection = z.infer<typeof nodeSectionSchema>;
export type ClusterNode = z.infer<typeof clusterNodeSchema>;
export type NodeSpec = z.infer<typeof nodeSpecSchema>;

/** The absolute paths that a node spec names. */
export interface NodeSpecPaths {
  clusterDirectory: string;
  programs: string;
}

/** How roles and pods leave the sandbox. Proxies' URLs may hold a password. */
export interface WayOut {
  /** Proxy variables and the place of CA certificates for sandkube's own processes. */
  roleEnvironment: Readonly<Record<string, string>>;
  /** The same for containers that set none themselves; empty: they are not told. */
  podEnvironment: Readonly<Record<string, string>>;
  /** Absolute path of the CA certificates that containers get; empty: none. */
  podCaBundle: string;
  /** TCP ports of the sandbox's loopback address that pods reach at the node's address. */
  loopbackPorts: readonly number[];
}

/** The way out of a sandbox without a proxy. */
const directWayOut: WayOut = {
  roleEnvironment: {},
  podEnvironment: {},
  podCaBundle: "",
  loopbackPorts: [],
};

/**
 * As large as every link of the pod network takes, in bytes: in a kernel in user space the work is
 * one per packet. No packet is forwarded to a link with a smaller one: connections that leave the pod
 * network end at the gateway, which makes them anew.
 */
const podMtu = 65_520;
/** The cluster's DNS is the tenth address of the Service range, by k3s's and kubeadm's convention. */
const dnsOffset = 10;

/** The part of the pod range that the nth node gives to its pods. */
function nodeRangeOf({ podRange }: Pick<ClusterOptions, "podRange">, node = 1): Ipv4Range {
  const range = parseIpv4Range(podRange);
  const prefix = Math.max(range.prefix, nodePodRangePrefix);
  return { first: range.first + (node - 1) * 2 ** (32 - prefix), prefix };
}

/** The address by which pods reach the nth node. */
export function nodeAddressOf(options: Pick<ClusterOptions, "podRange">, node = 1): string {
  return formatIpv4(nodeRangeOf(options, node).first + 1);
}

/** What the node spec takes from the sandbox, whatever it lacks. */
export interface NodeSurroundings {
  /** IPv4 addresses of the sandbox, the one that its node gets in host-network mode first. */
  addresses?: readonly string[];
  /** Absolute path of the images directory; by default `images` in the data directory. */
  imagesDirectory?: string | undefined;
  /** Without it no proxy is between the cluster and the outside. */
  wayOut?: WayOut;
}

/**
 * The node spec of a cluster in a mode, with nothing adapted.
 * The pods of each node get a /24 of the pod range, of which the node has the first address; the way
 * to Services and the gateway have the last two of the first node's. In host-network mode the node and
 * its pods have the first address of the sandbox. Throws E_RANGE_TAKEN when the Service range can not be had then.
 */
export function baseNodeSpec(
  options: ClusterOptions,
  paths: NodeSpecPaths,
  mode: ClusterMode,
  {
    addresses = [],
    wayOut = directWayOut,
    imagesDirectory = join(options.dataDirectory, "images"),
  }: NodeSurroundings = {},
): NodeSpec {
  const isShared = mode === "host-network";
  const serviceRange = isShared ? loopbackServiceRange(options) : options.serviceRange;
  const address = isShared ? (addresses[0] ?? noAddress()) : nodeAddressOf(options);
  const hasNode = mode !== "control-plane";
  const node: NodeSection = {
    kubeletPort: options.kubeletPort,
    cgroup: { mountControllers: [] },
    standIns: { sysctls: {}, kmsg: false },
    containerd: {
      snapshotter: "overlayfs",
      snapshotTmpfsBytes: 0,
      unprivilegedPorts: true,
      unprivilegedIcmp: true,
      newKeyring: true,
      restrictOomScoreAdj: false,
    },
    images: { directory: imagesDirectory },
    oci: {
      dropNamespaces: [],
      dropMaskedDirectories: false,
      dropSeccomp: false,
      anyProcRoot: false,
      sysctlStandIns: false,
      environment: { ...wayOut.podEnvironment },
      caBundle: wayOut.podCaBundle,
    },
    network: {
      mtu: podMtu,
      dnsAddress: formatIpv4(parseIpv4Range(serviceRange).first + dnsOffset),
      loopbackPorts: [...wayOut.loopbackPorts],
      ...(isShared ? hostNetwork : bridgeNetwork(options.name, nodeRangeOf(options))),
    },
    kubelet: { iptables: true, environment: {} },
  };
  return {
    apiVersion: "sandkube.dev/v1alpha1",
    kind: "NodeSpec",
    cluster: { name: options.name, directory: paths.clusterDirectory },
    programs: paths.programs,
    egress: { environment: { ...wayOut.roleEnvironment } },
    controlPlane: {
      bindAddress: options.bindAddress,
      port: options.apiPort,
      advertiseAddress: address,
      serviceRange,
      podRange: options.podRange,
    },
    node: hasNode ? node : null,
    nodes: hasNode
      ? nodeNumbers(options.nodes).map((number) => nodeOf(options, number, address))
      : [],
  };
}

/** The nth node; the first one has an address of its own choice. */
function nodeOf(options: ClusterOptions, number: number, firstAddress: string): ClusterNode {
  const { first, prefix } = nodeRangeOf(options, number);
  return {
    name: nodeName(number),
    address: number === 1 ? firstAddress : nodeAddressOf(options, number),
    podRange: `${formatIpv4(first)}/${prefix}`,
    cgroupRoot: `/sandkube/${options.name}/${nodeName(number)}`,
  };
}

type NetworkLinks = Omit<NodeSection["network"], "mtu" | "dnsAddress" | "loopbackPorts">;

const hostNetwork: NetworkLinks = {
  mode: "host",
  bridge: "",
  serviceAddress: "",
  gatewayAddress: "",
};

function bridgeNetwork(cluster: string, { first, prefix }: Ipv4Range): NetworkLinks {
  const last = first + 2 ** (32 - prefix) - 1;
  return {
    mode: "bridge",
    bridge: bridgeName(cluster),
    serviceAddress: formatIpv4(last - 1),
    gatewayAddress: formatIpv4(last - 2),
  };
}

function noAddress(): never {
  throw new SandkubeError("E_INTERNAL", "host-network mode was chosen without an address to use");
}

/** The pod bridge's link name: at most 11 characters, so that four more make a link name too (IFNAMSIZ). */
export function bridgeName(cluster: string): string {
  if (cluster === "default") return "sandkube0";
  return `sk-${createHash("sha256").update(cluster).digest("hex").slice(0, 8)}`;
}
