import type { Explanation } from "../report/explanation.js";

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
];
