import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** A killed process leaves its cgroup only when the kernel is done with it. */
const removalAttempts = 30;

/** One hierarchy as mounted on this machine. */
interface Hierarchy {
  readonly mountPoint: string;
  readonly version: 1 | 2;
}

/** Directories in which a sandbox on the bare kernel keeps its processes, by hierarchy. */
export interface SandboxCgroup {
  readonly mountPoint: string;
  /** What the sandbox sees as the root of the hierarchy. */
  readonly root: string;
  /** Where its processes run. In version 2 a cgroup with processes cannot pass on controllers. */
  readonly members: string;
}

/**
 * Makes a cgroup for a sandbox in every hierarchy. Without one, a cluster in the lab and a cluster
 * of the same name on the machine would remove each other's pods as orphans.
 */
export async function createCgroups(name: string): Promise<SandboxCgroup[]> {
  const cgroups: SandboxCgroup[] = [];
  for (const { mountPoint, version } of await hierarchies()) {
    const root = join(mountPoint, name);
    const members = version === 2 ? join(root, "init") : root;
    await mkdir(members, { recursive: true });
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      // A new cpuset of version 1 is empty, and no process can join an empty one.
      if (version !== 1 || !existsSync(join(mountPoint, file))) continue;
      await writeFile(join(root, file), await readFile(join(mountPoint, file)));
    }
    cgroups.push({ mountPoint, root, members });
  }
  return cgroups;
}

/** Removes the cgroups of a sandbox, children first. Those that still have processes stay. */
export async function removeCgroups(name: string): Promise<void> {
  for (const { mountPoint } of await hierarchies()) {
    const root = join(mountPoint, name);
    for (let attempt = 0; existsSync(root) && attempt < removalAttempts; attempt += 1) {
      if (attempt > 0) await delay(100);
      await removeTree(root);
    }
  }
}

async function removeTree(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeTree(join(directory, entry.name));
  }
  await rmdir(directory).catch(() => undefined);
}

async function hierarchies(): Promise<Hierarchy[]> {
  const lines = (await readFile("/proc/self/mounts", "utf8")).split("\n");
  return lines.flatMap((line): Hierarchy[] => {
    const [, mountPoint = "", type] = line.split(" ");
    if (!mountPoint.startsWith("/sys/fs/cgroup")) return [];
    if (type === "cgroup") return [{ mountPoint, version: 1 }];
    return type === "cgroup2" ? [{ mountPoint, version: 2 }] : [];
  });
}
