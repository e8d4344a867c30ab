import { setTimeout as delay } from "node:timers/promises";
import type { ClusterStatus } from "sandkube";
import type { Sandbox } from "../../lab/src/index.js";
import { succeed } from "./sandbox-commands.js";

/**
 * What pods are made of on a node: network links, processes, the mounts of the node's own mount
 * namespace, among them those of network namespaces, the kubelet's directories, and what containerd
 * keeps of containers, their file systems included; that of the first node, if there are several.
 * Arguments: the cluster's directory, the snapshotter, and a process of each node's namespace.
 */
const lookAround = `
directory="$1" snapshotter="$2"
shift 2
ip -o link | awk '{ sub("@.*", "", $2); print "link " $2 }'
ps -eo args= | awk '{ print "process " $0 }'
for node; do awk '{ print "mount " $5 }' "/proc/$node/mountinfo"; done
for pod in "$directory"/node*/kubelet/pods/*; do [ ! -e "$pod" ] || echo "directory $pod"; done
sandkube ctr containers list --quiet | awk '{ print "container " $0 }'
sandkube ctr snapshots --snapshotter "$snapshotter" list | awk '$NF == "Active" { print "snapshot " $1 }'
`;

const lookTimeoutMs = 3 * 60_000;
/** Namespaces are deleted in the background, and then kubelet and containerd clean up. */
const limitMs = 10 * 60_000;
const pollMs = 5_000;

/** What pods are made of on the node as it is now, a line each. */
export async function podParts(sandbox: Sandbox, signal: AbortSignal): Promise<string[]> {
  const { nodes, directory, restarts } = await nodesOf(sandbox, signal);
  const options = { signal, timeoutMs: lookTimeoutMs };
  const spec = await sandbox.exec(["cat", `${directory}/node-spec.json`], options);
  const { snapshotter } = (JSON.parse(spec.stdout) as NodeSpecPart).node.containerd;
  const argv = ["sh", "-c", lookAround, "look-around", directory, snapshotter, ...nodes];
  const { exitCode, stdout, stderr } = await sandbox.exec(argv, options);
  if (exitCode !== 0) throw new Error(`looking for parts of pods: ${stderr}`);
  return [...stdout.split("\n").filter((line) => line !== ""), ...restarts];
}

interface NodeSpecPart {
  readonly node: { readonly containerd: { readonly snapshotter: string } };
}

interface NodeProcesses {
  /** The number of a process in each node's mount namespace. */
  readonly nodes: readonly string[];
  /** The cluster's. */
  readonly directory: string;
  /** A line for each time that a part of the cluster was started again. */
  readonly restarts: readonly string[];
}

async function nodesOf(sandbox: Sandbox, signal: AbortSignal): Promise<NodeProcesses> {
  const { runtime, directory } = JSON.parse(
    await succeed(sandbox, ["sandkube", "status", "--json"], signal),
  ) as ClusterStatus;
  const found = runtime?.roles.filter(({ role }) => /^node(-\d+)?$/.test(role)) ?? [];
  const nodes = found.flatMap(({ pid }) => (pid === undefined ? [] : [`${pid}`]));
  if (nodes.length === 0 || nodes.length < found.length) {
    throw new Error("the cluster has a node that does not run");
  }
  const restarts = runtime?.roles.flatMap(({ role, restarts }) =>
    Array.from({ length: restarts }, () => `restart of ${role}`),
  );
  return { nodes, directory, restarts: restarts ?? [] };
}

/**
 * What is there beyond `before` when the pods of the suite are gone: nothing, if the node cleans up.
 * Waits for that, ten minutes at most.
 */
export async function leftovers(
  sandbox: Sandbox,
  before: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const left = added(before, await podParts(sandbox, signal));
    if (left.length === 0 || performance.now() > deadline) return left;
    await delay(pollMs, undefined, { signal });
  }
}

/** The lines that `after` has more often than `before`. */
export function added(before: readonly string[], after: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const line of before) counts.set(line, (counts.get(line) ?? 0) + 1);
  return after.filter((line) => {
    const count = counts.get(line) ?? 0;
    counts.set(line, count - 1);
    return count <= 0;
  });
}
