import { works, type FactId } from "../../sandbox/facts.js";
import type { Adaptation } from "../adaptation.js";
import { evidenceOf } from "../evidence.js";

const portStart: FactId = "proc-sys.net/ipv4/ip_unprivileged_port_start";
const pingRange: FactId = "proc-sys.net/ipv4/ping_group_range";

export const unprivilegedPorts: Adaptation = {
  id: "unprivileged-ports",
  title: "low ports and ping need capabilities in pods",
  reason:
    "containerd lets every user of a pod bind low ports and open ping sockets, by two sysctls in the pod's " +
    "network namespace. Where they are missing, runc fails on writing them and no pod starts.",
  when: "ip_unprivileged_port_start or ping_group_range is missing in a new network namespace.",
  effect: "containerd's enable_unprivileged_ports or enable_unprivileged_icmp, or both, are false.",
  loses:
    "A container that runs as a user other than root needs CAP_NET_BIND_SERVICE for ports below 1024 and CAP_NET_RAW for ping.",
  upstream: ["https://github.com/containerd/containerd/blob/v2.2.1/docs/cri/config.md"],
  obsoleteWhen: "Both sysctls are there in every supported sandbox.",
  applies(facts) {
    const missing = [portStart, pingRange].filter((id) => !works(facts, id));
    return missing.length === 0 ? null : evidenceOf(facts, missing);
  },
  apply: (node, facts) => ({
    ...node,
    containerd: {
      ...node.containerd,
      unprivilegedPorts: works(facts, portStart),
      unprivilegedIcmp: works(facts, pingRange),
    },
  }),
};
