import { basename } from "node:path";

/** The part of a cluster that a process belongs to, by its command line; null: to none. */
export type PartOf = (argv: readonly string[]) => string | null;

/** Parts of sandkube, and the processes of pods, which are the user's. */
export const sandkubePartOf: PartOf = (argv) => {
  const [program = "", ...args] = argv;
  switch (basename(program)) {
    case "sandkube-supervisor":
      return args[0] === "node-init" ? "node-init" : "supervisor";
    case "sandkube-runtime":
      return args[0] ?? "sandkube-runtime";
    case "sandkube-containerd":
      return "containerd";
    case "sandkube-network":
      return "network";
    case "containerd-shim-runc-v2":
      return "shims";
    case "sandkube-oci":
    case "sandkube-runc":
    case "runc":
      return "OCI runtime";
    case "pause":
      return "pause";
    case "hello":
      return "pods";
    default:
      return null;
  }
};

const kwokctlPrograms = new Set([
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kwok-controller",
  "kwok",
]);

/** The processes that kwokctl leaves running; it runs them under the names of the components. */
export const kwokctlPartOf: PartOf = ([program = ""]) => {
  const name = basename(program);
  return kwokctlPrograms.has(name) ? name : null;
};

const apartPrograms = new Set([
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "containerd",
  "coredns",
  "pause",
]);

/** Upstream's programs as processes of their own. What starts them is no part. */
export const apartPartOf: PartOf = ([program = ""]) => {
  const name = basename(program);
  if (name === "containerd-shim-runc-v2") return "shims";
  if (name === "hello") return "pods";
  return apartPrograms.has(name) ? name : null;
};
