import type { Facts } from "../sandbox/facts.js";
import type { Evidence } from "./evidence.js";
import type { NodeSection } from "./node-spec.js";

/** All adaptations, in the order in which they are applied. */
export const adaptationIds = [
  "cgroup-v1-mounts",
  "kernel-tunables",
  "sysctl-stand-ins",
  "kmsg-stub",
  "unprivileged-ports",
  "any-proc-root",
  "masked-directories",
  "shared-pid-namespace",
  "no-cgroup-namespace",
  "no-seccomp",
  "no-keyring",
  "snapshots-on-tmpfs",
  "native-snapshotter",
  "shared-pod-network",
  "no-gateway",
  "no-iptables",
  "libmount-mount2",
  "oom-score",
  "advisory-limits",
] as const;

export type AdaptationId = (typeof adaptationIds)[number];

/** One deviation from the node of a full kernel, made because the sandbox lacks something. */
export interface Adaptation {
  readonly id: AdaptationId;
  readonly title: string;
  /** The obstacle, and who meets it. */
  readonly reason: string;
  /** The facts under which it applies, in words. */
  readonly when: string;
  /** What sandkube does instead. */
  readonly effect: string;
  /** What the user can not have because of it; null when nothing is lost. */
  readonly loses: string | null;
  /** Links to the upstream issue, source or documentation of the obstacle. */
  readonly upstream: readonly string[];
  /** The observation by which this adaptation can be removed from sandkube. */
  readonly obsoleteWhen: string;
  /** The facts that call for it, or null when a node in that mode, adapted so far, does not need it. */
  applies(facts: Facts, node: NodeSection): Evidence[] | null;
  /** The node section with the adaptation made; the given one is left as it is. */
  apply(node: NodeSection, facts: Facts): NodeSection;
}
