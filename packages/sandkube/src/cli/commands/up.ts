import { resolve } from "node:path";
import type { Command } from "commander";
import type { CreateClusterOptions } from "../../index.js";
import {
  clusterReference,
  parseCount,
  parseDurationMs,
  parsePort,
  withClusterOptions,
  withJsonOption,
  type ClusterFlags,
  type JsonFlag,
} from "../options.js";
import { perform, printResultLine } from "../perform.js";
import { reporting } from "../reporters/reporter.js";
import { formatUpResult, upResult } from "../reports/up-result.js";

interface UpFlags extends ClusterFlags, JsonFlag {
  config?: string;
  controlPlane?: boolean;
  auto?: boolean;
  timeout?: number;
  retain?: boolean;
  nodes?: number;
  publish?: string[];
  proxyPods?: boolean;
  registriesConfig?: string;
  imagesDir?: string;
  apiPort?: number;
  kubeletPort?: number;
  podRange?: string;
  serviceRange?: string;
  clusterCidr?: string;
  serviceCidr?: string;
}

export function registerUp(program: Command): void {
  const command = program
    .command("up")
    .summary("create a cluster, or resume a stopped one")
    .description(
      "Brings a cluster to where a pod can be scheduled: creates it, resumes it with all its objects, or finds it running. " +
        "A failure, or Ctrl-C, takes back what was made.",
    );
  withJsonOption(withClusterOptions(command))
    .option(
      "--config <file>",
      "a configuration of sandkube.dev/v1alpha1 or of kind, - for standard input; options here come before it",
    )
    .option(
      "--control-plane",
      "API server, controllers and scheduler without a node; needs no privilege",
    )
    .option("--auto", "with a node where this sandbox allows one, else without")
    .option("--timeout <duration>", "limit of the whole operation (default: 3m)", parseDurationMs)
    .option("--retain", "keep what a failed up has made")
    .option(
      "--publish <publication...>",
      "make a Service reachable at a port of the sandbox, once it is there: HOST-PORT:NAMESPACE/SERVICE:PORT",
    )
    .option(
      "--proxy-pods",
      "tell pods of this sandbox's HTTP proxies and CA certificates, by environment variables",
    )
    .option("--no-proxy-pods", "no longer tell them")
    .option(
      "--registries-config <file>",
      "mirrors, certificates and accounts for image pulls (default: /etc/sandkube/registries.yaml or k3s' own)",
    )
    .option(
      "--images-dir <directory>",
      "archives to import and lists of images to pull, at the start and as they appear (default: images in the data directory, or k3s' own)",
    )
    .option("--nodes <count>", "how many nodes, all in this sandbox (default: 1)", parseCount)
    .option("--api-port <port>", "port of the API server (default: 6443)", parsePort)
    .option("--kubelet-port <port>", "port of the kubelet (default: 10250)", parsePort)
    .option("--pod-range <cidr>", "addresses of pods (default: 10.42.0.0/16)")
    .option("--service-range <cidr>", "addresses of Services (default: 10.43.0.0/16)")
    .option("--cluster-cidr <cidr>", "the same as --pod-range, as k3s calls it")
    .option("--service-cidr <cidr>", "the same as --service-range, as k3s calls it")
    .action(async (_flags, self: Command) => {
      const flags = self.optsWithGlobals<UpFlags>();
      await perform(
        flags,
        (signal) => runUp(flags, signal),
        "Interrupted: taking back what was made. Again to exit at once.",
      );
    });
}

async function runUp(flags: UpFlags, signal: AbortSignal): Promise<void> {
  const { createCluster, readClusterConfig } = await import("../../index.js");
  const config =
    flags.config === undefined
      ? null
      : await readClusterConfig(flags.config === "-" ? process.stdin : flags.config);
  const cluster = await reporting({ json: flags.json ?? false }, (onProgress) => {
    for (const setting of config?.ignored ?? []) {
      onProgress({ type: "warning", message: `${setting} has no effect here.` });
    }
    return createCluster({
      ...config?.options,
      ...given(optionsOf(flags)),
      retain: flags.retain,
      publish: flags.publish ?? config?.publish,
      signal,
      onProgress,
    });
  });
  if (flags.json) printResultLine(upResult(cluster));
  else process.stdout.write(formatUpResult(cluster));
}

/** The options that the command line names. */
function optionsOf(flags: UpFlags): CreateClusterOptions {
  return {
    ...clusterReference(flags),
    mode: modeOf(flags),
    timeoutMs: flags.timeout,
    proxyPods: flags.proxyPods,
    registriesConfig:
      flags.registriesConfig === undefined ? undefined : resolve(flags.registriesConfig),
    imagesDirectory: flags.imagesDir === undefined ? undefined : resolve(flags.imagesDir),
    nodes: flags.nodes,
    apiPort: flags.apiPort,
    kubeletPort: flags.kubeletPort,
    podRange: flags.podRange ?? flags.clusterCidr,
    serviceRange: flags.serviceRange ?? flags.serviceCidr,
  };
}

/** What is set, so that it can be laid over a configuration. */
function given(options: CreateClusterOptions): CreateClusterOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** Undefined leaves an existing cluster's mode as it is; a new one then gets a node. */
function modeOf(flags: UpFlags): "auto" | "control-plane" | undefined {
  if (flags.controlPlane) return "control-plane";
  return flags.auto ? "auto" : undefined;
}
