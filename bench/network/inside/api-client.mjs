/** A client of the Kubernetes API for the programs beside it, on one connection after the other. */
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";

const limitMs = 60_000;

/**
 * Returns a function that sends JSON and resolves with the answer's text; any other status than a
 * success rejects, with the answer. Takes the path of a kubeconfig with certificates in it.
 */
export function apiClient(kubeconfigPath, connections = 1) {
  const kubeconfig = readFileSync(kubeconfigPath, "utf8");
  const field = (name) => new RegExp(`\\b${name}"?: *"?([^\\s",]+)`).exec(kubeconfig)[1];
  const credential = (name) => Buffer.from(field(`${name}-data`), "base64").toString();
  const server = field("server");
  const agent = new Agent({
    keepAlive: true,
    maxSockets: connections,
    ca: credential("certificate-authority"),
    cert: credential("client-certificate"),
    key: credential("client-key"),
  });
  return (method, path, object, contentType = "application/json") =>
    new Promise((resolve, reject) => {
      const headers = { "content-type": contentType };
      const signal = AbortSignal.timeout(limitMs);
      request(`${server}${path}`, { method, agent, headers, signal }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
        response.on("end", () => {
          if (response.statusCode < 300) resolve(text);
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
        });
      })
        .once("error", reject)
        .end(JSON.stringify(object));
    });
}

/** An EndpointSlice that stands behind a port named http of a Service without a selector. */
export function endpointSlice(service, addresses) {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: service,
      labels: {
        "kubernetes.io/service-name": service,
        "endpointslice.kubernetes.io/managed-by": "bench",
      },
    },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: addresses.map((address) => ({
      addresses: [address],
      conditions: { ready: true },
    })),
  };
}
