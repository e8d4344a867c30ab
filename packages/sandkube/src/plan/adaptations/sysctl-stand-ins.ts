import type { Adaptation } from "../adaptation.js";
import { unlessWorks } from "../evidence.js";

export const sysctlStandIns: Adaptation = {
  id: "sysctl-stand-ins",
  title: "kernel settings of pods that the kernel lacks are files without effect",
  reason:
    "A pod may set kernel settings of its own namespaces (securityContext.sysctls). runc writes them below " +
    "/proc/sys and starts no container when there is no such file; gVisor has few of them.",
  when: "/proc/sys/kernel/shm_rmid_forced, the first of those that Kubernetes calls safe, is not there.",
  effect:
    "Containers of a pod that sets a missing one find a read-only file with its value, and the rest of the " +
    "directory read-only beside it. Settings that the kernel has are written as ever.",
  loses:
    "Such a setting has no effect; the pod has an event NotEnforced that names it. A privileged container of such " +
    "a pod can not write the settings beside it.",
  upstream: [
    "https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/",
    "https://github.com/google/gvisor/blob/master/pkg/sentry/fsimpl/proc/tasks_sys.go",
  ],
  obsoleteWhen: "proc-sys.kernel/shm_rmid_forced is yes in every supported sandbox.",
  applies: (facts) => unlessWorks(facts, "proc-sys.kernel/shm_rmid_forced"),
  apply: (node) => ({ ...node, oci: { ...node.oci, sysctlStandIns: true } }),
};
