/**
 * Makes one address the only endpoint of the Service `changing`, and prints when it began to:
 * milliseconds since 1970. Arguments: path of a kubeconfig, the address.
 */
import { apiClient, endpointSlice } from "./api-client.mjs";

const [kubeconfigPath, address] = process.argv.slice(2);
const send = apiClient(kubeconfigPath);
const slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";

// A request before the one that counts has the connection made.
await send("GET", slices);
const beganAt = performance.timeOrigin + performance.now();
// Server-side apply creates what is not there yet.
await send(
  "PATCH",
  `${slices}/changing?fieldManager=bench&force=true`,
  endpointSlice("changing", [address]),
  "application/apply-patch+yaml",
);
process.stdout.write(`${beganAt}\n`);
process.exit();
