import { factOf, works, type Facts } from "../../sandbox/facts.js";
import type { Adaptation } from "../adaptation.js";
import { evidenceOf } from "../evidence.js";

/**
 * What the kubelet's setupKernelTunables writes, file by file, when the present value is another one
 * (constants of k8s.io/component-helpers/node/util/sysctl).
 */
const tunables = {
  "vm/overcommit_memory": "1",
  "vm/panic_on_oom": "0",
  "kernel/panic": "10",
  "kernel/panic_on_oops": "1",
  "kernel/keys/root_maxkeys": "1000000",
  "kernel/keys/root_maxbytes": "25000000",
} as const;

type Tunable = keyof typeof tunables;

/** CAP_CHECKPOINT_RESTORE of linux/capability.h, the last capability that runc knows. */
const lastCapability = "40";

function deviating(facts: Facts): Tunable[] {
  return (Object.keys(tunables) as Tunable[]).filter((name) => {
    const fact = factOf(facts, `proc-sys.${name}`);
    return fact.state !== "yes" || fact.value?.trim() !== tunables[name];
  });
}

export const kernelTunables: Adaptation = {
  id: "kernel-tunables",
  title: "the kubelet sees stand-ins for kernel settings",
  reason:
    "At its start the kubelet reads six settings below /proc/sys and writes those that have another value. " +
    "A missing file ends it, and a write would change the sandbox for everything else that runs there.",
  when: "One of the six settings is missing or has a value that the kubelet would change.",
  effect:
    "In the node's private mount namespace, copies of /proc/sys/kernel and /proc/sys/vm with the kubelet's " +
    "values lie over the real ones. The sandbox's own settings stay as they are.",
  loses: null,
  upstream: [
    "https://github.com/kubernetes/kubernetes/blob/v1.36.4/pkg/kubelet/cm/container_manager_linux.go",
    "https://gvisor.dev/docs/user_guide/compatibility/",
  ],
  obsoleteWhen:
    "Every supported sandbox has the six files with the kubelet's values, or the kubelet can be told to leave them alone.",
  applies(facts) {
    const names = deviating(facts);
    return names.length === 0
      ? null
      : evidenceOf(
          facts,
          names.map((name) => `proc-sys.${name}` as const),
        );
  },
  apply: (node, facts) => ({
    ...node,
    standIns: {
      ...node.standIns,
      sysctls: {
        ...node.standIns.sysctls,
        ...tunables,
        ...(works(facts, "proc-sys.kernel/cap_last_cap")
          ? {}
          : { "kernel/cap_last_cap": lastCapability }),
      },
    },
  }),
};
