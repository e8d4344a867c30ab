import { parseDocument } from "yaml";
import { z } from "zod";
import { SandkubeError } from "../errors.js";
import { clusterOptionsSchema, type ClusterOptionsInput } from "./cluster-options.js";
import { kindApiVersion, readKindConfig } from "./kind-config.js";

/** The version of the configuration file that this sandkube writes and reads. */
export const configApiVersion = "sandkube.dev/v1alpha1";

const options = clusterOptionsSchema.shape;

/**
 * A cluster as a file describes it. What is left out has the default, or for an existing cluster stays
 * as it is.
 */
export const configFileSchema = z.strictObject({
  apiVersion: z.literal(configApiVersion),
  kind: z.literal("Cluster", "kind is Cluster"),
  name: options.name
    .removeDefault()
    .optional()
    .describe("The cluster's name: 1 to 32 of a-z, 0-9 and inner dashes; not `images`."),
  mode: options.mode
    .removeDefault()
    .optional()
    .describe(
      "`node` runs a node, and fails where the sandbox allows none: `full`, whose pods have networks of their own, where that can be had, else `host-network`, whose pods share the node's; `control-plane` runs none; `auto` takes the richest that the sandbox allows.",
    ),
  nodes: options.nodes
    .removeDefault()
    .optional()
    .describe("How many nodes there are, all in this sandbox."),
  apiPort: options.apiPort.removeDefault().optional().describe("TCP port of the API server."),
  bindAddress: options.bindAddress
    .removeDefault()
    .optional()
    .describe("IPv4 address on which the API server listens."),
  kubeletPort: options.kubeletPort.removeDefault().optional().describe("TCP port of the kubelet."),
  podRange: options.podRange
    .removeDefault()
    .optional()
    .describe("IPv4 range of all pods, in CIDR notation."),
  serviceRange: options.serviceRange
    .removeDefault()
    .optional()
    .describe("IPv4 range of Services, in CIDR notation."),
  proxyPods: options.proxyPods.describe(
    "Whether pods are told of the sandbox's HTTP proxies and CA certificates.",
  ),
  registriesConfig: options.registriesConfig.describe(
    "Absolute path of a registries.yaml as k3s reads it: mirrors, certificates and accounts for image pulls.",
  ),
  imagesDirectory: options.imagesDirectory.describe(
    "Absolute path of a directory with archives of images, and with lists of images to pull, for the node.",
  ),
  publish: z
    .array(z.string("publish is a list of texts"), "publish is a list of texts")
    .optional()
    .describe(
      "Ports of Services to make reachable at ports of the sandbox, each as `HOST-PORT:NAMESPACE/SERVICE:PORT`.",
    ),
});

/** What a configuration file says. */
export interface ConfigFile {
  options: Partial<Omit<ClusterOptionsInput, "dataDirectory">>;
  publish: readonly string[];
  /** Settings of a foreign format that have no effect here, as paths such as `nodes[0].image`. */
  ignored: readonly string[];
}

/**
 * Reads a configuration in YAML or JSON: sandkube's own, or kind's v1alpha4 for what applies here.
 * `source` names it in errors. Throws E_CONFIG that names every unknown key and invalid value.
 */
export function parseConfigFile(text: string, source: string): ConfigFile {
  const document = parseDocument(text, { prettyErrors: true });
  const [problem] = document.errors;
  if (problem !== undefined)
    throw invalid(source, [problem.message.split("\n", 1)[0] ?? "no YAML"]);
  const content: unknown = document.toJS();
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    throw invalid(source, ["it is not a mapping with apiVersion and kind"]);
  }
  const apiVersion = "apiVersion" in content ? content.apiVersion : undefined;
  if (apiVersion === kindApiVersion) {
    const read = readKindConfig(content);
    if ("problems" in read) throw invalid(source, read.problems);
    return read;
  }
  if (apiVersion !== configApiVersion) {
    const found = apiVersion === undefined ? "is missing" : `is ${JSON.stringify(apiVersion)}`;
    throw invalid(source, [
      `apiVersion ${found}; it has to be ${configApiVersion}, or kind's ${kindApiVersion}`,
    ]);
  }
  const parsed = configFileSchema.safeParse(content);
  if (!parsed.success) throw invalid(source, parsed.error.issues.map(describeIssue));
  const { apiVersion: _version, kind: _kind, publish = [], ...rest } = parsed.data;
  return { options: rest, publish, ignored: [] };
}

/** An invalid place of a document in words, with its path. */
export function describeIssue(issue: z.core.$ZodIssue): string {
  const path = pathOf(issue.path);
  if (issue.code === "unrecognized_keys") {
    const keys = issue.keys.map((key) => (path === "" ? key : `${path}.${key}`));
    return `${keys.join(", ")}: there is no such setting`;
  }
  return path === "" || issue.message.startsWith(path)
    ? issue.message
    : `${path}: ${issue.message}`;
}

/** A path such as `nodes[0].image`. */
export function pathOf(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
}

function invalid(source: string, problems: readonly string[]): SandkubeError {
  return new SandkubeError("E_CONFIG", `${source} is invalid: ${problems.join("; ")}`, {
    hint: "docs/configuration.md lists the settings, and `sandkube config schema` prints their JSON Schema.",
    details: { source, problems },
  });
}
