import type { Adaptation } from "../adaptation.js";
import { advisoryLimits } from "./advisory-limits.js";
import { anyProcRoot } from "./any-proc-root.js";
import { cgroupV1Mounts } from "./cgroup-v1-mounts.js";
import { kernelTunables } from "./kernel-tunables.js";
import { kmsgStub } from "./kmsg-stub.js";
import { libmountMount2 } from "./libmount-mount2.js";
import { maskedDirectories } from "./masked-directories.js";
import { nativeSnapshotter } from "./native-snapshotter.js";
import { noCgroupNamespace } from "./no-cgroup-namespace.js";
import { noGateway } from "./no-gateway.js";
import { noIptables } from "./no-iptables.js";
import { noKeyring } from "./no-keyring.js";
import { noSeccomp } from "./no-seccomp.js";
import { oomScore } from "./oom-score.js";
import { sharedPidNamespace } from "./shared-pid-namespace.js";
import { sharedPodNetwork } from "./shared-pod-network.js";
import { snapshotsOnTmpfs } from "./snapshots-on-tmpfs.js";
import { sysctlStandIns } from "./sysctl-stand-ins.js";
import { unprivilegedPorts } from "./unprivileged-ports.js";

/** Every adaptation, in the order in which a plan applies them. */
export const adaptations: readonly Adaptation[] = [
  cgroupV1Mounts,
  kernelTunables,
  sysctlStandIns,
  kmsgStub,
  unprivilegedPorts,
  anyProcRoot,
  maskedDirectories,
  sharedPidNamespace,
  noCgroupNamespace,
  noSeccomp,
  noKeyring,
  snapshotsOnTmpfs,
  nativeSnapshotter,
  sharedPodNetwork,
  noGateway,
  noIptables,
  libmountMount2,
  oomScore,
  advisoryLimits,
];

/** The adaptation of that id, or undefined. */
export function adaptationById(id: string): Adaptation | undefined {
  return adaptations.find((adaptation) => adaptation.id === id);
}
