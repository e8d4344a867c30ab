import type { Explanation } from "../report/explanation.js";

const gvisor = ["g26", "g24"] as const;
const noNetworkClass =
  "gVisor's sysfs has no [/sys/class/net](https://github.com/google/gvisor/blob/master/pkg/sentry/fsimpl/sys/sys.go), which busybox' brctl wants";

export const explanations: readonly Explanation[] = [
  {
    spec: "[k8s.io] Image Manager public image with digest should be pulled and removed",
    cause:
      "no registry outside is asked: the image is named by the digest of [one build](https://github.com/kubernetes-sigs/cri-tools/blob/v1.36.0/pkg/validate/consts.go), which nobody can make again",
  },
  {
    spec: "[k8s.io] Networking runtime should support networking runtime should support port mapping with host port and container port",
    cause:
      "sandkube opens host ports for the pods that the API server has, without iptables ([ADR 7](adr/0007-the-pod-networks-data-plane.md)); a pod that only containerd knows gets none",
  },
  {
    spec: "[k8s.io] Security Context NamespaceOption runtime should support HostIpc is true",
    labs: gvisor,
    cause:
      "gVisor's [shmctl(SHM_INFO)](https://github.com/google/gvisor/blob/master/pkg/sentry/syscalls/linux/sys_shm.go) tells no highest index, so ipcs lists no segment; the IPC namespace is the sandbox's",
  },
  {
    spec: "[k8s.io] Security Context bucket runtime should support Privileged is true",
    labs: gvisor,
    cause: noNetworkClass,
  },
  {
    spec: "[k8s.io] Security Context bucket runtime should support adding capability",
    labs: gvisor,
    cause: noNetworkClass,
  },
  {
    spec: "[k8s.io] Security Context NoNewPrivs should allow privilege escalation when false",
    labs: gvisor,
    cause:
      "gVisor ignores set-user-ID bits unless its operator starts it with [--allow-suid](https://github.com/google/gvisor/blob/master/runsc/config/flags.go)",
  },
  {
    spec: "[k8s.io] Container OOM runtime should output OOMKilled reason",
    labs: gvisor,
    cause:
      "limits are recorded, not enforced in gVisor: [advisory-limits](adaptations.md#advisory-limits)",
  },
  {
    spec: "[k8s.io] Container runtime should support basic operations on container runtime should support listing container stats",
    labs: gvisor,
    cause:
      "containerd's shim does not find the cgroups that gVisor shows (`cannot find cgroup mount destination`); the kubelet has its figures from sandkube's [own reader](adr/0004-own-cadvisor.md)",
  },
  {
    spec: "[k8s.io] Security Context NamespaceOption runtime should support ContainerPID",
    labs: ["g24"],
    cause:
      "containers share the node's pid namespace in gVisor of 2024-07: [shared-pid-namespace](adaptations.md#shared-pid-namespace)",
  },
  {
    spec: "[k8s.io] Security Context UserNamespaces when Host idmap mount support is not needed runtime should support NamespaceMode_NODE",
    labs: ["g24"],
    cause:
      "gVisor of 2024-07 lets no process enter another's pid namespace, so critest is not in the node's and finds no /proc/self there",
  },
];
