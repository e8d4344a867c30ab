/** Runs the operator with the kubeconfig of the environment: in a pod, or with KUBECONFIG set. */
import { KubeConfig } from "@kubernetes/client-node";
import { runOperator } from "./operator.js";

const kubeconfig = new KubeConfig();
kubeconfig.loadFromDefault();
const end = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => end.abort());

await runOperator({
  kubeconfig,
  namespace: process.env["NAMESPACE"] ?? "default",
  onFailure: (what, error) => process.stderr.write(`${what}: ${String(error)}\n`),
  signal: end.signal,
});
