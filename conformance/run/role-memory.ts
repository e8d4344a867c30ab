import type { ClusterStatus } from "sandkube";
import type { Sandbox } from "../../lab/src/index.js";

/** Resident memory of a cluster's parts, in KiB, by the part's name. */
export type RoleMemory = ReadonlyMap<string, number>;

const mebibyteInKib = 1024;

/**
 * How much more a part may have after a run, in KiB. The supervisors keep nothing of a pod. What the
 * others keep is bounded too, but larger: caches of the API's objects and the heap that Go holds back.
 */
const allowedGrowthKib: Readonly<Record<string, number>> = {
  supervisor: 16 * mebibyteInKib,
  "network-init": 16 * mebibyteInKib,
  "node-init": 16 * mebibyteInKib,
  network: 64 * mebibyteInKib,
  containerd: 128 * mebibyteInKib,
  node: 192 * mebibyteInKib,
  "control-plane": 512 * mebibyteInKib,
};

const lookTimeoutMs = 3 * 60_000;

/** The memory of each part of the cluster now. */
export async function roleMemory(sandbox: Sandbox, signal: AbortSignal): Promise<RoleMemory> {
  const options = { signal, timeoutMs: lookTimeoutMs };
  const status = await sandbox.exec(["sandkube", "status", "--json"], options);
  const { runtime } = JSON.parse(status.stdout) as ClusterStatus;
  if (runtime === null) throw new Error("no supervisor runs");
  const pids = new Map([
    ["supervisor", runtime.pid],
    ...runtime.roles.map(({ role, pid }) => [role, pid] as const),
  ]);
  const table = await sandbox.exec(["ps", "-eo", "pid=,rss="], options);
  const sizes = new Map(table.stdout.split("\n").map(pidAndSize));
  return new Map([...pids].map(([role, pid]) => [role, (pid && sizes.get(pid)) ?? 0] as const));
}

function pidAndSize(line: string): readonly [number, number] {
  const [pid = 0, sizeKib = 0] = line.trim().split(/ +/).map(Number);
  return [pid, sizeKib];
}

/** The parts that have grown by more than they may, a line each. */
export function grown(before: RoleMemory, after: RoleMemory): string[] {
  return [...after].flatMap(([role, size]) => {
    const growth = size - (before.get(role) ?? 0);
    return growth > allowedGrowth(role) ? [`memory ${memoryLine(role, before, after)}`] : [];
  });
}

/** Roles of further nodes have the node's number at their end, as in `containerd-2`. */
function allowedGrowth(role: string): number {
  return allowedGrowthKib[role.replace(/-\d+$/, "")] ?? 0;
}

/** How much memory each part had before and after, a line each. */
export function memoryLines(before: RoleMemory, after: RoleMemory): string[] {
  return [...after.keys()].map((role) => memoryLine(role, before, after));
}

function memoryLine(role: string, before: RoleMemory, after: RoleMemory): string {
  const mebibytes = (memory: RoleMemory): number =>
    Math.round((memory.get(role) ?? 0) / mebibyteInKib);
  return `${role}: ${mebibytes(before)} MiB before, ${mebibytes(after)} MiB after`;
}
