import type { Adaptation } from "../adaptation.js";
import { unlessWorks } from "../evidence.js";

export const kmsgStub: Adaptation = {
  id: "kmsg-stub",
  title: "/dev/kmsg is an empty file",
  reason:
    "The kubelet's OOM watcher opens the kernel log at /dev/kmsg and ends the kubelet when it can not.",
  when: "/dev/kmsg can not be opened for reading.",
  effect: "In the node's private mount namespace, an empty file lies at /dev/kmsg.",
  loses: "The node reports no events of the kernel's OOM killer.",
  upstream: ["https://github.com/google/gvisor/issues/2290"],
  obsoleteWhen: "device.kmsg is yes in every supported sandbox.",
  applies: (facts) => unlessWorks(facts, "device.kmsg"),
  apply: (node) => ({ ...node, standIns: { ...node.standIns, kmsg: true } }),
};
