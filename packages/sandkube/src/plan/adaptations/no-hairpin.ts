import type { Adaptation } from "../adaptation.js";
import { unlessWorks } from "../evidence.js";

export const noHairpin: Adaptation = {
  id: "no-hairpin",
  title: "bridge ports do not reflect packets",
  reason:
    "A bridge sends a packet back through the port it came from only with that port's hairpin flag, which some sandboxes refuse with EOPNOTSUPP.",
  when: "The hairpin flag of a bridge port can not be set.",
  effect: "The CNI plugin leaves the flag unset.",
  loses:
    "Nothing between pods; a pod can not reach itself through an address that the kernel translates back to it.",
  upstream: [
    "https://github.com/google/gvisor/pull/14601",
    "https://github.com/google/gvisor/issues/14637",
  ],
  obsoleteWhen: "network.bridge-hairpin is yes in every supported sandbox.",
  applies: (facts) => unlessWorks(facts, "network.bridge-hairpin"),
  apply: (node) => ({ ...node, network: { ...node.network, hairpin: false } }),
};
