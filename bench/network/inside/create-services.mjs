/**
 * Creates Services in the namespace `many`, each with an EndpointSlice that no pod stands behind.
 * Arguments: path of a kubeconfig, number of Services, endpoints of each.
 */
import { apiClient, endpointSlice } from "./api-client.mjs";

const requestsAtOnce = 8;
/** 100.64.0.0/10 is for networks of carriers (RFC 6598): nothing in a sandbox is there. */
const firstAddress = 0x64400001;

const [kubeconfigPath, services, endpointsEach] = process.argv.slice(2);
const send = apiClient(kubeconfigPath, requestsAtOnce);

function address(index) {
  const number = firstAddress + index;
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join(".");
}

async function create(index) {
  const name = `service-${index}`;
  await send("POST", "/api/v1/namespaces/many/services", {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { ports: [{ name: "http", port: 8080 }] },
  });
  const addresses = Array.from({ length: Number(endpointsEach) }, (_, position) =>
    address(index * Number(endpointsEach) + position),
  );
  await send(
    "POST",
    "/apis/discovery.k8s.io/v1/namespaces/many/endpointslices",
    endpointSlice(name, addresses),
  );
}

let next = 0;
async function work() {
  while (next < Number(services)) {
    next += 1;
    await create(next - 1);
  }
}

await Promise.all(Array.from({ length: requestsAtOnce }, work));
process.exit();
