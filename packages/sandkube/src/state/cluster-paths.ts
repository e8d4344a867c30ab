import { join } from "node:path";
import { clusterNamePattern } from "../config/cluster-options.js";
import { maxNodes, nodeSuffix } from "../node-names.js";
import { SandkubeError } from "../errors.js";
import type { RoleName } from "../events.js";
import { maxSocketPathBytes } from "../platform/unix-socket.js";

/** Where the parts of one cluster's state lie; all paths are absolute. */
export interface ClusterPaths {
  /** Holds everything below; mode 0700. */
  directory: string;
  /** The cluster record: name, mode and settings. */
  record: string;
  facts: string;
  plan: string;
  nodeSpec: string;
  /** Held by the command that is working on the cluster. */
  lock: string;
  controlSocket: string;
  /** The administrator's kubeconfig. */
  kubeconfig: string;
  /** The users' own kubeconfigs that the cluster was added to. */
  kubeconfigMerges: string;
  /** What kubectl remembers of the API. */
  kubectlCache: string;
  /** What host-setup has changed outside the data directory; absent when nothing is to be put back. */
  hostRecord: string;
  /** What was last said about the way out of the sandbox. */
  egressChoices: string;
  /** The images directory that the user named; absent when none was. */
  imagesChoice: string;
  /** Holds what the roles and containerd need on their way out of the sandbox. */
  egressDirectory: string;
  /** All CA certificates that the sandbox trusts. */
  caBundle: string;
  /** A directory, with one for each registry that is not asked in the usual way. */
  registryHosts: string;
  /** A file with accounts at registries. */
  registryAccounts: string;
  logsDirectory: string;
  /** Where the containerd of the nth node listens. */
  containerdSocket(node: number): string;
  log(role: RoleName): string;
}

/**
 * The paths of a cluster. Throws E_CONFIG for an invalid name and E_DATA_DIRECTORY
 * when the data directory's path is too long for the sockets below it.
 */
export function clusterPaths(dataDirectory: string, name: string): ClusterPaths {
  if (!clusterNamePattern.test(name)) {
    throw new SandkubeError("E_CONFIG", `"${name}" is not a cluster name`, {
      hint: "A name has 1 to 32 of a-z, 0-9 and inner dashes, and is not `images`.",
    });
  }
  const directory = join(dataDirectory, name);
  const containerdSocket = (node: number) =>
    join(directory, `node${nodeSuffix(node)}`, "run", "containerd.sock");
  // containerd listens for its shims at this longer path.
  const longest = Buffer.byteLength(`${containerdSocket(maxNodes)}.ttrpc`);
  if (longest > maxSocketPathBytes) {
    throw new SandkubeError(
      "E_DATA_DIRECTORY",
      `the data directory ${dataDirectory} has too long a path: the sockets below it would have ${longest} bytes, ${maxSocketPathBytes} are allowed`,
      { hint: "Choose a shorter one with --data or SANDKUBE_DATA." },
    );
  }
  const egressDirectory = join(directory, "egress");
  const logsDirectory = join(directory, "logs");
  return {
    directory,
    record: join(directory, "cluster.json"),
    facts: join(directory, "facts.json"),
    plan: join(directory, "plan.json"),
    nodeSpec: join(directory, "node-spec.json"),
    lock: join(directory, "lock"),
    controlSocket: join(directory, "control.sock"),
    kubeconfig: join(directory, "kubeconfig"),
    kubeconfigMerges: join(directory, "kubeconfig-merges.json"),
    kubectlCache: join(directory, "kubectl-cache"),
    hostRecord: join(directory, "host.json"),
    egressChoices: join(directory, "egress.json"),
    imagesChoice: join(directory, "images.json"),
    egressDirectory,
    caBundle: join(egressDirectory, "ca-bundle.pem"),
    registryHosts: join(egressDirectory, "certs.d"),
    registryAccounts: join(egressDirectory, "registry-accounts.json"),
    logsDirectory,
    containerdSocket,
    log: (role) => join(logsDirectory, `${role}.log`),
  };
}

/** Where the logs of the last failed `up` are kept after its directory has been removed. */
export function failedLogsDirectory(dataDirectory: string, name: string): string {
  return join(dataDirectory, `${name}.failed-logs`);
}
