import type { ClusterOptions } from "../config/cluster-options.js";
import type { Environment } from "../config/environment.js";
import type { ClusterMode, ProgressListener } from "../events.js";
import { collectCaBundle } from "../egress/ca-bundle.js";
import { readProxySettings, usesProxy } from "../egress/proxy-settings.js";
import { wayOutOf } from "../egress/way-out.js";
import { loopbackServiceRange } from "../plan/loopback-service-range.js";
import type { WayOut } from "../plan/node-spec.js";
import { makePrivateDirectory, writeFileAtomically } from "../platform/files.js";
import type { ClusterPaths } from "../state/cluster-paths.js";
import type { Programs } from "../runtime/locate-programs.js";
import { readEgressChoices, writeEgressChoices } from "../state/egress-choices.js";
import { configureRegistries, findRegistriesConfig } from "./registries.js";

/** Users in containers read the bundle, each as whoever its image says. */
const bundleMode = 0o644;

export interface EgressRequest {
  options: ClusterOptions;
  paths: ClusterPaths;
  programs: Programs;
  /** The environment of the user who starts the cluster. */
  environment: Environment;
  mode: ClusterMode;
  /** The sandbox's addresses; the first is that of pods in host-network mode. */
  addresses: readonly string[];
  emit: ProgressListener;
  signal: AbortSignal;
}

/**
 * Gathers how the cluster leaves the sandbox and writes the CA bundle; what the options leave open
 * stays as it last was. Throws E_CONFIG for a proxy variable that names no proxy and for an
 * unusable registries.yaml.
 */
export async function prepareEgress(request: EgressRequest): Promise<WayOut> {
  const { options, mode, addresses, paths, programs, environment, emit, signal } = request;
  const last = await readEgressChoices(paths);
  const proxyPods = options.proxyPods ?? last.proxyPods;
  const sharesNetwork = mode === "host-network";
  const wayOut = wayOutOf({
    options: sharesNetwork ? sharedNetwork(options, addresses) : options,
    sharesNetwork,
    environment,
    caBundle: paths.caBundle,
    proxyPods,
  });
  const bundle = await collectCaBundle(environment);
  await makePrivateDirectory(paths.egressDirectory);
  await writeFileAtomically(paths.caBundle, bundle.pem, bundleMode);
  const registriesConfig = options.registriesConfig ?? last.registriesConfig;
  if (mode !== "control-plane") {
    const file = await findRegistriesConfig(registriesConfig);
    await configureRegistries(programs, paths, file, signal);
  }
  await writeEgressChoices(paths, { proxyPods, registriesConfig });
  for (const message of bundle.problems) emit({ type: "warning", message });
  if (mode !== "control-plane" && !proxyPods && usesProxy(readProxySettings(environment))) {
    emit({
      type: "warning",
      message: "This sandbox has a proxy to the outside, which pods are not told of.",
      hint: "`sandkube up --proxy-pods` tells them, after `sandkube down`.",
    });
  }
  return wayOut;
}

/** Tells what the options say differently from a running cluster, which keeps what it was started with. */
export async function tellEgressUnchanged(
  options: Pick<ClusterOptions, "proxyPods" | "registriesConfig">,
  paths: ClusterPaths,
  emit: ProgressListener,
): Promise<void> {
  const last = await readEgressChoices(paths);
  const names = { proxyPods: "proxy-pods", registriesConfig: "registries-config" } as const;
  for (const key of ["proxyPods", "registriesConfig"] as const) {
    if (options[key] === undefined || options[key] === last[key]) continue;
    emit({
      type: "warning",
      message: `The cluster runs with other settings of --${names[key]}, and keeps them.`,
      hint: "`sandkube down`, then the same `sandkube up` again.",
    });
  }
}

/** Where pods and Services are in host-network mode: at the sandbox's address, and in 127.0.0.0/8. */
function sharedNetwork(
  options: ClusterOptions,
  [address]: readonly string[],
): Pick<ClusterOptions, "podRange" | "serviceRange"> {
  return {
    podRange: address === undefined ? options.podRange : `${address}/32`,
    serviceRange: loopbackServiceRange(options),
  };
}
