import { z } from "zod";
import type { ConfigFile } from "./config-file.js";
import { clusterOptionsSchema } from "./cluster-options.js";
import { maxNodes } from "../node-names.js";

/** The version of kind's configuration that is read (https://kind.sigs.k8s.io/docs/user/configuration/). */
export const kindApiVersion = "kind.x-k8s.io/v1alpha4";

const options = clusterOptionsSchema.shape;

/** The settings of kind that have a meaning here; all others are named and have no effect. */
const kindSchema = z.looseObject({
  kind: z.literal("Cluster", "kind is Cluster"),
  apiVersion: z.literal(kindApiVersion),
  name: options.name.removeDefault().optional(),
  networking: z
    .looseObject({
      apiServerAddress: options.bindAddress.removeDefault().optional(),
      apiServerPort: options.apiPort.removeDefault().optional(),
      podSubnet: options.podRange.removeDefault().optional(),
      serviceSubnet: options.serviceRange.removeDefault().optional(),
    })
    .optional(),
  nodes: z
    .array(z.looseObject({ role: z.enum(["control-plane", "worker"]).optional() }))
    .max(maxNodes, `there are at most ${maxNodes}`)
    .optional(),
});

const applied = new Set([
  ...["kind", "apiVersion", "name", "networking", "nodes"],
  ...["apiServerAddress", "apiServerPort", "podSubnet", "serviceSubnet"].map(
    (key) => `networking.${key}`,
  ),
]);

/** Reads kind's configuration: what applies, with the paths of what does not; or all that is invalid. */
export function readKindConfig(content: object): ConfigFile | { problems: string[] } {
  const parsed = kindSchema.safeParse(content);
  if (!parsed.success) {
    return {
      problems: parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`),
    };
  }
  const { name, networking = {}, nodes = [] } = parsed.data;
  const controlPlanes = nodes.filter(({ role = "control-plane" }) => role === "control-plane");
  if (nodes.length > 0 && controlPlanes.length !== 1) {
    return {
      problems: [
        `nodes: ${controlPlanes.length} have the role control-plane; it has to be one, the others are workers`,
      ],
    };
  }
  const { apiServerAddress, apiServerPort, podSubnet, serviceSubnet } = networking;
  const given = {
    name,
    nodes: nodes.length === 0 ? undefined : nodes.length,
    bindAddress: apiServerAddress,
    apiPort: apiServerPort,
    podRange: podSubnet,
    serviceRange: serviceSubnet,
  };
  return {
    options: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    publish: [],
    ignored: [...ignoredKeys(content), ...ignoredNodes(nodes)],
  };
}

function ignoredKeys(content: object): string[] {
  return Object.entries(content).flatMap(([key, value]: [string, unknown]) => {
    if (!applied.has(key)) return [key];
    if (key !== "networking" || typeof value !== "object" || value === null) return [];
    return Object.keys(value)
      .map((inner) => `networking.${inner}`)
      .filter((path) => !applied.has(path));
  });
}

/** Of a node only its role counts: all nodes are alike, and the first one is the control plane's. */
function ignoredNodes(nodes: readonly Record<string, unknown>[]): string[] {
  return nodes.flatMap((node, index) =>
    Object.keys(node)
      .filter((key) => key !== "role")
      .map((key) => `nodes[${index}].${key}`),
  );
}
