/**
 * Creates a Deployment and says, in a line each, when its pods have got how far: `begin` just before
 * the request, `created`, `running` and `ready` when all of its pods are. Kubernetes' watch tells, so
 * that neither polling nor the start of a kubectl is part of the figure.
 * Arguments: path of a kubeconfig with certificates in it, path of the manifest (YAML), label
 * selector, number of pods.
 */
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";

const limitMs = 120_000;
const [kubeconfigPath, manifestPath, selector, count] = process.argv.slice(2);
const kubeconfig = readFileSync(kubeconfigPath, "utf8");
const manifest = readFileSync(manifestPath, "utf8");
const field = (name) => new RegExp(`\\b${name}"?: *"?([^\\s",]+)`).exec(kubeconfig)[1];
const credential = (name) => Buffer.from(field(`${name}-data`), "base64").toString();
const server = field("server");
const agent = new Agent({
  keepAlive: true,
  ca: credential("certificate-authority"),
  cert: credential("client-certificate"),
  key: credential("client-key"),
});

const say = (milestone) => process.stdout.write(`${milestone}\n`);

function send(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": "application/yaml" };
    const signal = AbortSignal.timeout(limitMs);
    request(`${server}${path}`, { method, agent, headers, signal }, (response) => {
      response.setEncoding("utf8");
      if (response.statusCode < 300) return resolve(response);
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => reject(new Error(`${path}: ${response.statusCode} ${text}`)));
    })
      .once("error", reject)
      .end(body);
  });
}

const isReady = ({ status }) =>
  status.conditions?.some(({ type, status }) => type === "Ready" && status === "True");

async function untilReady(watch) {
  const pods = new Map();
  const told = new Set();
  const tellOnce = (milestone, reached) => {
    const enough = [...pods.values()].filter(reached).length >= Number(count);
    if (enough && !told.has(milestone)) say(milestone);
    if (enough) told.add(milestone);
    return enough;
  };
  let rest = "";
  for await (const chunk of watch) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop();
    for (const { object } of lines.map((line) => JSON.parse(line))) {
      pods.set(object.metadata?.name, object);
    }
    tellOnce("running", (pod) => pod.status.phase === "Running");
    if (tellOnce("ready", isReady)) return;
  }
  throw new Error("the API server ended the watch");
}

const pods = "/api/v1/namespaces/default/pods";
const watch = await send("GET", `${pods}?watch=1&labelSelector=${encodeURIComponent(selector)}`);
say("begin");
const watching = untilReady(watch);
(await send("POST", "/apis/apps/v1/namespaces/default/deployments", manifest)).resume();
say("created");
await watching;
agent.destroy();
process.exit();
