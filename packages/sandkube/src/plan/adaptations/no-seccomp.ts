import type { Adaptation } from "../adaptation.js";
import { unlessWorks } from "../evidence.js";

export const noSeccomp: Adaptation = {
  id: "no-seccomp",
  title: "containers run without a seccomp filter",
  reason:
    "A container whose profile can not be installed does not start, and the runtime's default profile is asked for by many charts.",
  when: "A process can not install a seccomp filter.",
  effect: "linux.seccomp is removed from each container's spec.",
  loses:
    "seccompProfile has no effect: containers may make every system call that the sandbox allows.",
  upstream: [
    "https://github.com/opencontainers/runc/blob/v1.3.6/libcontainer/seccomp/seccomp_linux.go",
    "https://gvisor.dev/docs/user_guide/compatibility/",
  ],
  obsoleteWhen: "seccomp.filter is yes in every supported sandbox.",
  applies: (facts) => unlessWorks(facts, "seccomp.filter"),
  apply: (node) => ({ ...node, oci: { ...node.oci, dropSeccomp: true } }),
};
