import { cgroupSource, nodeControllers } from "../../sandbox/cgroups.js";
import type { Adaptation } from "../adaptation.js";
import { evidenceOf } from "../evidence.js";

export const cgroupV1Mounts: Adaptation = {
  id: "cgroup-v1-mounts",
  title: "cgroup controllers are mounted for the node alone",
  reason:
    "The kubelet and runc look for a mounted hierarchy of each controller below /sys/fs/cgroup and end with " +
    '"mountpoint for devices not found" without one. gVisor mounts them only for containers whose own spec ' +
    "asks for it, and takes each version 1 controller only on its own.",
  when:
    "/sys/fs/cgroup holds neither cgroup version 2 with the needed controllers nor a mount of each needed " +
    "version 1 controller, and each of these can be mounted alone.",
  effect:
    "In the node's private mount namespace, a tmpfs at /sys/fs/cgroup carries one mount for each of " +
    "cpu, cpuacct, cpuset, devices, memory and pids.",
  loses: null,
  upstream: [
    "https://github.com/google/gvisor/issues/13007",
    "https://github.com/google/gvisor/issues/2520",
  ],
  obsoleteWhen: "cgroup.mounted names version 2 or all six controllers in every supported sandbox.",
  applies: (facts) =>
    cgroupSource(facts) === "mountable"
      ? evidenceOf(facts, ["cgroup.mounted", "cgroup.v1-mountable"])
      : null,
  apply: (node) => ({
    ...node,
    cgroup: { ...node.cgroup, mountControllers: [...nodeControllers] },
  }),
};
