import type { Patch } from "./patch.js";

/** The patch that lets containerd give its pods the network namespace that it runs in. */
export const nodeNetwork: readonly Patch[] = [
  {
    id: "node-network",
    module: "github.com/containerd/containerd/v2",
    file: "pkg/netns/netns_linux.go",
    edits: [
      {
        find: "\tif pid != 0 {\n\t\tprocNsPath := getNetNSPathFromPID(pid)\n",
        replace:
          '\tif pid == 0 && os.Getenv("SANDKUBE_NODE_NETWORK") == "1" {\n' +
          "\t\tpid = uint32(os.Getpid())\n" +
          "\t}\n" +
          "\tif pid != 0 {\n\t\tprocNsPath := getNetNSPathFromPID(pid)\n",
      },
    ],
    reason:
      "containerd's CRI makes a new network namespace for each pod that does not ask for the host's, before " +
      "any CNI plugin is called. Where such a namespace can not be made, or nothing can be plugged into it, " +
      "no pod starts. With SANDKUBE_NODE_NETWORK=1, which is set in host-network mode only, the namespace " +
      "that containerd itself runs in is mounted at the pod's path. All else stays a pod's: its host name, " +
      "its address in the CRI's answers, `kubectl port-forward`.",
    upstream: "https://github.com/containerd/containerd/blob/v2.2.1/pkg/netns/netns_linux.go",
    removeWhen:
      "every supported sandbox gives pods networks of their own (facts namespace.network, network.veth, " +
      "network.veth-into-namespace, network.bridge-port), or containerd takes a network namespace for pods " +
      "from its configuration",
  },
];
