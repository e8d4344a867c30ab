import { delimiter, isAbsolute, join, resolve } from "node:path";
import { SandkubeError } from "../errors.js";
import { clusterNamePattern } from "./cluster-options.js";

/** Every environment variable that sandkube reads. */
export const environmentVariables = {
  SANDKUBE_DATA: "absolute path of the directory that holds all clusters",
  SANDKUBE_PROGRAMS: "absolute path of the directory of sandkube's programs",
  SANDKUBE_CLUSTER: "name of the cluster that commands act on when --name is not given",
  XDG_DATA_HOME: "where the data directory of users other than root lies (default ~/.local/share)",
  XDG_CACHE_HOME: "where a checkout caches the programs that it builds (default ~/.cache)",
  KUBECONFIG: "the kubeconfig that `kubeconfig merge` adds a cluster to (default ~/.kube/config)",
  HOME: "the home directory that the defaults above start from",
  HTTP_PROXY: "the proxy through which http: targets outside of the sandbox are reached",
  HTTPS_PROXY: "the proxy through which https: targets outside of the sandbox are reached",
  ALL_PROXY: "the proxy for what the two above leave open",
  NO_PROXY: "targets that are reached without a proxy, separated by commas",
  SSL_CERT_FILE: "a file of CA certificates to trust, beside the system's",
  NODE_EXTRA_CA_CERTS: "the same",
  REQUESTS_CA_BUNDLE: "the same",
  CURL_CA_BUNDLE: "the same",
  SANDKUBE_REGISTRY_CREDS: "account for `image pull` and `doctor --registry`, as USER:PASSWORD",
  DOCKER_CONFIG: "the directory of docker's config.json (default ~/.docker)",
  SANDKUBE_DEBUG: "1: failures are printed with where in the code they arose",
  NO_COLOR: "any text: no colours in the output (no-color.org)",
} as const satisfies Record<string, string>;

export type EnvironmentVariable = keyof typeof environmentVariables;

/** An environment as node:process gives it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What sandkube takes from its environment. */
export interface EnvironmentSettings {
  dataDirectory: string;
  /** The directory of the programs, when the user names one. */
  programs: string | undefined;
  cluster: string | undefined;
  color: boolean;
}

/**
 * Reads the environment of a user. An empty variable counts as unset.
 * Throws E_CONFIG when a variable has an unusable value.
 */
export function readEnvironment(environment: Environment, uid: number): EnvironmentSettings {
  const get = (name: EnvironmentVariable): string | undefined => environment[name] || undefined;
  const path = (name: EnvironmentVariable): string | undefined => {
    const value = get(name);
    if (value !== undefined && !isAbsolute(value)) {
      throw new SandkubeError("E_CONFIG", `${name} is ${value}; it must be an absolute path`);
    }
    return value;
  };
  const home = () => path("HOME") ?? missingHome();
  const cluster = get("SANDKUBE_CLUSTER");
  if (cluster !== undefined && !clusterNamePattern.test(cluster)) {
    throw new SandkubeError(
      "E_CONFIG",
      `SANDKUBE_CLUSTER is ${cluster}; a name has 1 to 32 of a-z, 0-9 and inner dashes`,
    );
  }
  return {
    dataDirectory:
      path("SANDKUBE_DATA") ??
      (uid === 0
        ? "/var/lib/sandkube"
        : join(path("XDG_DATA_HOME") ?? join(home(), ".local", "share"), "sandkube")),
    programs: path("SANDKUBE_PROGRAMS"),
    cluster,
    color: get("NO_COLOR") === undefined,
  };
}

/**
 * The user's own kubeconfig, by the rules of kubectl: the first file that KUBECONFIG names, else the one
 * in the home directory. Throws E_CONFIG.
 */
export function userKubeconfig(environment: Environment): string {
  const first = (environment["KUBECONFIG"] ?? "").split(delimiter).find((path) => path !== "");
  if (first !== undefined) return resolve(first);
  const home = environment["HOME"];
  if (home) return join(home, ".kube", "config");
  throw new SandkubeError("E_CONFIG", "neither KUBECONFIG nor HOME is set", {
    hint: "Name the file with --file.",
  });
}

function missingHome(): never {
  throw new SandkubeError("E_CONFIG", "HOME is not set, so there is no place for data", {
    hint: "Set SANDKUBE_DATA to an absolute path.",
  });
}
