import type { Adaptation } from "../adaptation.js";
import { unlessWorks } from "../evidence.js";

export const sharedPidNamespace: Adaptation = {
  id: "shared-pid-namespace",
  title: "containers share the node's pid namespace",
  reason:
    "kubectl exec enters the container's pid namespace with setns(2). Where that is refused, exec and exec " +
    "probes fail in every container that has a pid namespace of its own.",
  when: "setns(2) into another process's pid namespace does not work.",
  effect:
    "Containers get no pid namespace of their own; they live in the node's, which the control plane is not part of.",
  loses:
    "Processes of all pods see each other, a container's first process is not pid 1, and root in one pod can signal another's processes.",
  upstream: [
    "https://man7.org/linux/man-pages/man2/setns.2.html",
    "https://gvisor.dev/docs/user_guide/compatibility/",
  ],
  obsoleteWhen: "setns.pid is yes in every supported sandbox.",
  applies: (facts) => unlessWorks(facts, "setns.pid"),
  apply: (node) => ({
    ...node,
    oci: { ...node.oci, dropNamespaces: [...node.oci.dropNamespaces, "pid"] },
  }),
};
