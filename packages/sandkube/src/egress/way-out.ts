import type { ClusterOptions } from "../config/cluster-options.js";
import type { Environment } from "../config/environment.js";
import { formatIpv4, parseIpv4Range } from "../config/ipv4-range.js";
import { nodeAddressOf, type WayOut } from "../plan/node-spec.js";
import { caVariables } from "./ca-bundle.js";
import {
  proxiesForPods,
  proxyVariables,
  readProxySettings,
  withoutProxyInCluster,
  type ProxySettings,
} from "./proxy-settings.js";

/**
 * Where containers find the CA bundle: caBundleInContainer of the OCI adapter. It lies in the file
 * system that each container has of its own for /dev.
 */
export const caBundleInContainer = "/dev/sandkube-ca-bundle.pem";

/** What a cluster's way out is made of. */
export interface WayOutRequest {
  options: Pick<ClusterOptions, "podRange" | "serviceRange">;
  /** Pods have the sandbox's own loopback address. */
  sharesNetwork?: boolean;
  /** The environment of the user who starts the cluster. */
  environment: Environment;
  /** File of all CA certificates that the sandbox trusts. */
  caBundle: string;
  /** Tell pods of the proxies and the CA certificates. */
  proxyPods: boolean;
}

/** How a cluster's roles, and its pods if they are to know, leave the sandbox. Throws E_CONFIG. */
export function wayOutOf(request: WayOutRequest): WayOut {
  const { options, environment, caBundle, proxyPods, sharesNetwork = false } = request;
  const settings = clusterProxySettings(options, environment);
  const roleEnvironment = { ...proxyVariables(settings), SSL_CERT_FILE: caBundle };
  if (!proxyPods) {
    return { roleEnvironment, podEnvironment: {}, podCaBundle: "", loopbackPorts: [] };
  }
  const pods = sharesNetwork
    ? { settings, loopbackPorts: [] }
    : proxiesForPods(settings, nodeAddressOf(options));
  return {
    roleEnvironment,
    podEnvironment: {
      ...proxyVariables(pods.settings),
      ...Object.fromEntries(
        [...caVariables, "GIT_SSL_CAINFO"].map((name) => [name, caBundleInContainer]),
      ),
    },
    podCaBundle: caBundle,
    loopbackPorts: pods.loopbackPorts,
  };
}

const egressVariables = new Set(
  ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"].flatMap(
    (name) => [name, name.toLowerCase()],
  ),
);

/** An environment with another way out than its own. */
export function replaceEgress(
  environment: Environment,
  wayOut: Readonly<Record<string, string>>,
): Record<string, string | undefined> {
  const kept = Object.entries(environment).filter(([name]) => !egressVariables.has(name));
  return { ...Object.fromEntries(kept), ...wayOut };
}

/** The proxies of the environment, with the cluster's own addresses left out of them. */
function clusterProxySettings(
  options: Pick<ClusterOptions, "podRange" | "serviceRange">,
  environment: Environment,
): ProxySettings {
  return withoutProxyInCluster(readProxySettings(environment), {
    podRange: options.podRange,
    serviceRange: options.serviceRange,
    apiServerAddress: formatIpv4(parseIpv4Range(options.serviceRange).first + 1),
  });
}
