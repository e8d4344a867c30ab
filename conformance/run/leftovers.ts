import { setTimeout as delay } from "node:timers/promises";
import type { ClusterStatus } from "sandkube";
import type { Sandbox } from "../../lab/src/index.js";

/**
 * What pods are made of on a node: network links, containerd's shims, and the mounts of the node's own
 * mount namespace, among them those of network namespaces. Argument: a process of that namespace.
 */
const lookAround = `
ip -o link | awk '{ sub("@.*", "", $2); print "link " $2 }'
ps -eo args | awk '$1 ~ /containerd-shim-runc-v2$/ { print "process " $0 }'
awk '{ print "mount " $5 }' "/proc/$1/mountinfo"
`;

const lookTimeoutMs = 60_000;
/** Kubelet and containerd clean up after the last pod is gone. */
const limitMs = 3 * 60_000;
const pollMs = 5_000;

/** What pods are made of on the node as it is now, a line each. */
export async function podParts(sandbox: Sandbox, signal: AbortSignal): Promise<string[]> {
  const options = { signal, timeoutMs: lookTimeoutMs };
  const status = await sandbox.exec(["sandkube", "status", "--json"], options);
  const { runtime } = JSON.parse(status.stdout) as ClusterStatus;
  const node = runtime?.roles.find(({ role }) => role === "node");
  if (node?.pid === undefined) throw new Error("the cluster has no node that runs");
  const argv = ["sh", "-c", lookAround, "look-around", String(node.pid)];
  const { exitCode, stdout, stderr } = await sandbox.exec(argv, options);
  if (exitCode !== 0) throw new Error(`looking for parts of pods: ${stderr}`);
  return stdout.split("\n").filter((line) => line !== "");
}

/**
 * What is there beyond `before` when the pods of the suite are gone: nothing, if the node cleans up.
 * Waits for that, three minutes at most.
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
