/**
 * Uses sandkube as a library and prints, as JSON, what it saw. Argument: an image archive.
 */
import { clusterStatus, createCluster, listClusters, SandkubeError } from "sandkube";

const [archive = ""] = process.argv.slice(2);
const name = "library";
const steps: string[] = [];
let running;
{
  await using cluster = await createCluster({
    name,
    onProgress: (event) => {
      if (event.type === "step-finished") steps.push(event.step);
    },
  });
  const loaded = await cluster.images.load(archive);
  const kubectl = await cluster.startTool("kubectl", ["get", "--raw", "/readyz"]);
  running = {
    state: (await cluster.status()).state,
    mode: cluster.settings.mode,
    loaded: loaded.map((image) => image.name),
    kubectl: await kubectl.exited,
  };
}

const cancellation = new AbortController();
const cancelled = await createCluster({
  name,
  mode: "control-plane",
  signal: cancellation.signal,
  onProgress: (event) => {
    if (event.type === "step-started" && event.step === "api-ready") cancellation.abort();
  },
}).catch((error: unknown) => SandkubeError.from(error).code);
const gone = await clusterStatus({ name }).catch(
  (error: unknown) => SandkubeError.from(error).code,
);

process.stdout.write(
  `\n${JSON.stringify({ steps, running, cancelled, gone, left: await listClusters() })}\n`,
);
