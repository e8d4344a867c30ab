import type { KubernetesObject, V1ObjectMeta } from "@kubernetes/client-node";

export const group = "example.com";
export const version = "v1alpha1";
export const plural = "greetings";

/** A web server that greets with a text; see greetings.crd.yaml. */
export interface Greeting extends KubernetesObject {
  metadata: V1ObjectMeta & { name: string; namespace: string; uid: string };
  spec: { text: string; replicas: number };
  status?: { observedGeneration?: number; readyReplicas?: number };
}
