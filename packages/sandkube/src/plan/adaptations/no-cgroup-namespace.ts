import type { Adaptation } from "../adaptation.js";
import { unlessWorks } from "../evidence.js";

export const noCgroupNamespace: Adaptation = {
  id: "no-cgroup-namespace",
  title: "containers have no cgroup namespace",
  reason:
    'runc refuses a container that asks for a cgroup namespace where there are none: "cgroup namespaces ' +
    "aren't enabled in the kernel\".",
  when: "A process can not be started in a new cgroup namespace.",
  effect: "The cgroup namespace is left out of each container's spec.",
  loses: "A container sees its full path in /proc/self/cgroup.",
  upstream: ["https://github.com/google/gvisor/issues/11989"],
  obsoleteWhen: "namespace.cgroup is yes in every supported sandbox.",
  applies: (facts) => unlessWorks(facts, "namespace.cgroup"),
  apply: (node) => ({
    ...node,
    oci: { ...node.oci, dropNamespaces: [...node.oci.dropNamespaces, "cgroup"] },
  }),
};
