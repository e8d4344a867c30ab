import { listOf, type Facts, type FactId } from "./facts.js";

/** The cgroup version 1 controllers that the kubelet and runc need, each mounted on its own. */
export const nodeControllers = ["cpu", "cpuacct", "cpuset", "devices", "memory", "pids"] as const;

/** Where a node finds its cgroup hierarchies: as they are, by mounting them, or nowhere. */
export type CgroupSource = "mounted" | "mountable" | "none";

/**
 * A cgroup2 counts only where it is mounted at /sys/fs/cgroup: the kubelet and runc look there,
 * and version 1 controllers are what can be mounted one by one when nothing is.
 */
export function cgroupSource(facts: Facts): CgroupSource {
  if (listOf(facts, "cgroup.mounted").includes("v2") || holdsAll(facts, "cgroup.mounted")) {
    return "mounted";
  }
  return holdsAll(facts, "cgroup.v1-mountable") ? "mountable" : "none";
}

function holdsAll(facts: Facts, id: FactId): boolean {
  const controllers = listOf(facts, id);
  return nodeControllers.every((controller) => controllers.includes(controller));
}
