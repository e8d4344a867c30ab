import { works } from "../../sandbox/facts.js";
import { podNetworkFactIds } from "../../sandbox/modes.js";
import type { Adaptation } from "../adaptation.js";
import { evidenceOf } from "../evidence.js";

export const sharedPodNetwork: Adaptation = {
  id: "shared-pod-network",
  title: "pods share the node's network",
  reason:
    "A pod with a network of its own needs a network namespace, a veth pair that leads into it and a bridge " +
    "that joins the pods. Not every sandbox has them, and where CAP_NET_ADMIN is missing nobody can make them.",
  when: "The mode is host-network: a network namespace, a veth pair or a bridge for pods can not be had.",
  effect:
    "containerd gives each pod the network namespace of the node, which is the sandbox's; pods have the " +
    "node's address. ClusterIPs are from 127.0.0.0/8, where every address is there without any privilege.",
  loses:
    "Two pods can not listen at one port; on a Linux kernel also not at one that another Service has. " +
    "NetworkPolicies are not enforced. Pods reach each other's loopback address, and who reaches the " +
    "sandbox reaches pods' ports. Network sysctls are the sandbox's.",
  upstream: [
    "https://gvisor.dev/docs/user_guide/networking/",
    "https://github.com/containerd/containerd/blob/v2.2.1/pkg/netns/netns_linux.go",
  ],
  obsoleteWhen:
    "namespace.network, network.bridge, network.veth, network.bridge-port and network.veth-into-namespace " +
    "are yes in every supported sandbox.",
  applies: (facts, { network }) => {
    if (network.mode !== "host") return null;
    const missing = podNetworkFactIds.filter((id) => !works(facts, id));
    // Host-network mode can also be asked for where it is not needed.
    return evidenceOf(facts, missing.length > 0 ? missing : podNetworkFactIds);
  },
  // runc refuses to set network sysctls in the node's own namespace.
  apply: (node) => ({
    ...node,
    containerd: { ...node.containerd, unprivilegedPorts: false, unprivilegedIcmp: false },
  }),
};
