import { expect, test } from "vitest";
import { worksForCluster } from "./leftover-processes.js";

const directory = "/data/one";

function describe(...commandLine: string[]) {
  return { pid: 1, parentPid: 0, startTicks: 1, state: "S", commandLine };
}

test.each([
  ["/bin/sandkube-supervisor", "run", "--spec", "/data/one/node-spec.json"],
  ["/bin/sandkube-runtime", "node", "--spec", "/data/one/node-spec.json"],
  ["/bin/sandkube-containerd", "containerd", "--config", "/data/one/node/containerd/config.toml"],
  ["/data/one/node/bin/containerd-shim-runc-v2", "-address", "/data/one/node/run/containerd.sock"],
])("%s %s works for the cluster", (...commandLine) => {
  expect(worksForCluster(describe(...commandLine), directory)).toBe(true);
});

test.each([
  ["a part of another cluster", "/bin/sandkube-supervisor", "run", "--spec", "/data/one-more/x"],
  ["a user's editor", "vi", "/data/one/kubeconfig"],
  ["a user's kubectl", "/bin/sandkube-runtime", "kubectl", "--kubeconfig", "/data/one/kubeconfig"],
  ["a kernel thread"],
])("%s does not", (_name, ...commandLine) => {
  expect(worksForCluster(describe(...commandLine), directory)).toBe(false);
});
