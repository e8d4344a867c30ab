import type { Adaptation } from "../adaptation.js";
import { unlessWorks } from "../evidence.js";

export const noGateway: Adaptation = {
  id: "no-gateway",
  title: "pods have no way out of the cluster",
  reason:
    "Without masquerading, what pods send to the outside has to pass through a process of the node, which gets it from a TAP device on the pod bridge. This sandbox has no TAP devices, or none that can be a port of a bridge.",
  when: "No TAP device can be made a port of a bridge.",
  effect: "Pods get no gateway; what they send beyond pods, Services and the node is dropped.",
  loses: "Pods reach nothing outside the cluster, and NetworkPolicies are not enforced.",
  upstream: ["https://gvisor.dev/docs/user_guide/networking/"],
  obsoleteWhen: "network.tap-port is yes in every supported sandbox.",
  applies: (facts, { network }) =>
    network.mode === "host" ? null : unlessWorks(facts, "network.tap-port"),
  apply: (node) => ({ ...node, network: { ...node.network, gatewayAddress: "" } }),
};
