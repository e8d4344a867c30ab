import type { Adaptation } from "../adaptation.js";
import { unlessWorks } from "../evidence.js";

export const noIptables: Adaptation = {
  id: "no-iptables",
  title: "the kubelet keeps no iptables chains",
  reason:
    "The kubelet keeps a few iptables chains as hints for other components. In gVisor iptables needs raw " +
    "sockets, which only the sandbox's operator can allow.",
  when: "iptables' tables can not be read.",
  effect: "The kubelet's makeIPTablesUtilChains is false.",
  loses:
    "Programs that rely on the kubelet's KUBE-IPTABLES-HINT chain, or on iptables in a pod, do not work.",
  upstream: [
    "https://github.com/google/gvisor/issues/9917",
    "https://github.com/google/gvisor/issues/11778",
  ],
  obsoleteWhen: "network.iptables is yes in every supported sandbox.",
  applies: (facts) => unlessWorks(facts, "network.iptables"),
  apply: (node) => ({ ...node, kubelet: { ...node.kubelet, iptables: false } }),
};
