import { fails } from "../../sandbox/facts.js";
import type { Adaptation } from "../adaptation.js";
import { evidenceOf } from "../evidence.js";

export const advisoryLimits: Adaptation = {
  id: "advisory-limits",
  title: "resource limits are recorded, not enforced",
  reason:
    "gVisor keeps the limits that are written to its cgroup files and acts on none but pids; only the sandbox's own limit holds.",
  when: "A process that allocates beyond its cgroup's memory limit is not stopped.",
  effect:
    "Nothing is changed: the scheduler counts requests, and containers can read their limits.",
  loses:
    "A container may use more memory and CPU than its limits; none is OOM-killed for its own limit.",
  upstream: [
    "https://github.com/google/gvisor/issues/2520",
    "https://github.com/google/gvisor/issues/13777",
  ],
  obsoleteWhen: "cgroup.memory-enforced is yes in every supported sandbox.",
  // Untried, it is no reason to claim that limits do not hold.
  applies: (facts) =>
    fails(facts, "cgroup.memory-enforced") ? evidenceOf(facts, ["cgroup.memory-enforced"]) : null,
  apply: (node) => node,
};
