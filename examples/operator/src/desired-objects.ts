import type { V1Deployment, V1ObjectMeta, V1Service } from "@kubernetes/client-node";
import { group, version, type Greeting } from "./greeting.js";

const image = "sandkube.local/hello:1";

/** The label that leads from an object back to its Greeting. */
export const ownerLabel = `${group}/greeting`;

/** What has to be there for a Greeting. */
export function desiredObjects(greeting: Greeting): [V1Deployment, V1Service] {
  return [deploymentOf(greeting), serviceOf(greeting)];
}

function deploymentOf(greeting: Greeting): V1Deployment {
  const labels = labelsOf(greeting);
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: metadataOf(greeting),
    spec: {
      replicas: greeting.spec.replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [
            {
              name: "hello",
              image,
              imagePullPolicy: "Never",
              env: [
                { name: "GREETING", value: greeting.spec.text },
                { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
                { name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
              ],
              ports: [{ name: "http", containerPort: 8080 }],
              readinessProbe: { httpGet: { path: "/healthz", port: "http" }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  };
}

function serviceOf(greeting: Greeting): V1Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadataOf(greeting),
    spec: {
      selector: labelsOf(greeting),
      ports: [{ name: "http", port: 80, targetPort: "http" }],
    },
  };
}

/** The owner reference lets Kubernetes remove the object with its Greeting. */
function metadataOf(greeting: Greeting): V1ObjectMeta & { name: string; namespace: string } {
  const { name, namespace, uid } = greeting.metadata;
  return {
    name,
    namespace,
    labels: labelsOf(greeting),
    ownerReferences: [
      { apiVersion: `${group}/${version}`, kind: "Greeting", name, uid, controller: true },
    ],
  };
}

function labelsOf(greeting: Greeting): Record<string, string> {
  return { [ownerLabel]: greeting.metadata.name };
}
