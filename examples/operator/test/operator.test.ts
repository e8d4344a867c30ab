/**
 * The operator against real Kubernetes: API server, controllers, and pods that run. HELLO_ARCHIVE is the
 * image of examples/hello.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  KubernetesObjectApi,
  loadYaml,
  PatchStrategy,
  setHeaderOptions,
  type V1CustomResourceDefinition,
} from "@kubernetes/client-node";
import { createCluster, type Cluster } from "sandkube";
import { group, plural, version, type Greeting } from "../src/greeting.js";
import { runOperator } from "../src/operator.js";

const namespace = "default";
const of = { group, version, namespace, plural };
const failures: string[] = [];
const end = new AbortController();

let cluster: Cluster;
let running: Promise<void>;
let apps: AppsV1Api;
let core: CoreV1Api;
let custom: CustomObjectsApi;

before(async () => {
  cluster = await createCluster({ name: "operator-test" });
  await cluster.images.load(process.env["HELLO_ARCHIVE"] ?? "hello.tar");
  const kubeconfig = new KubeConfig();
  kubeconfig.loadFromString(cluster.kubeconfig);
  apps = kubeconfig.makeApiClient(AppsV1Api);
  core = kubeconfig.makeApiClient(CoreV1Api);
  custom = kubeconfig.makeApiClient(CustomObjectsApi);

  const file = new URL("../greetings.crd.yaml", import.meta.url);
  const definition = loadYaml<V1CustomResourceDefinition>(await readFile(file, "utf8"));
  await KubernetesObjectApi.makeApiClient(kubeconfig).create(definition);
  await eventually("the API serves Greetings", () => custom.listNamespacedCustomObject(of));

  const onFailure = (what: string, error: unknown) => failures.push(`${what}: ${String(error)}`);
  running = runOperator({ kubeconfig, namespace, onFailure, signal: end.signal });
});

after(async () => {
  end.abort();
  await running;
  await cluster[Symbol.asyncDispose]();
});

test("a Greeting becomes pods that greet", async () => {
  await custom.createNamespacedCustomObject({ ...of, body: greeting("hi", "Welcome") });
  await eventually("the status says that a pod is ready", async () => {
    assert.equal((await read("hi")).status?.readyReplicas, 1);
  });
  const service = await core.readNamespacedService({ name: "hi", namespace });
  await eventually("the Service answers", async () => {
    const answer = await fetch(`http://${service.spec?.clusterIP}/`);
    assert.match(await answer.text(), /^Welcome from pod hi-/);
  });
});

test("the API server refuses a Greeting without a text", async () => {
  const body = greeting("empty", "");
  await assert.rejects(custom.createNamespacedCustomObject({ ...of, body }), /spec\.text/);
});

test("a change of the Greeting reaches its pods", async () => {
  await custom.patchNamespacedCustomObject(
    { ...of, name: "hi", body: { spec: { replicas: 2 } } },
    setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
  );
  await eventually("two pods are ready", async () => {
    const { metadata, status } = await read("hi");
    assert.deepEqual(status, { observedGeneration: metadata.generation, readyReplicas: 2 });
  });
});

test("what somebody deletes comes back", async () => {
  const { metadata } = await apps.readNamespacedDeployment({ name: "hi", namespace });
  await apps.deleteNamespacedDeployment({ name: "hi", namespace });
  await eventually("another Deployment is there", async () => {
    const now = await apps.readNamespacedDeployment({ name: "hi", namespace });
    assert.notEqual(now.metadata?.uid, metadata?.uid);
    assert.equal(now.status?.readyReplicas, 2);
  });
});

test("a Greeting takes all along that it owns", async () => {
  await custom.deleteNamespacedCustomObject({ ...of, name: "hi" });
  await eventually("nothing is left", async () => {
    const deployments = await apps.listNamespacedDeployment({ namespace });
    const pods = await core.listNamespacedPod({ namespace });
    assert.deepEqual([...deployments.items, ...pods.items], []);
  });
  assert.deepEqual(failures, []);
});

function greeting(name: string, text: string) {
  return {
    apiVersion: `${group}/${version}`,
    kind: "Greeting",
    metadata: { name },
    spec: { text },
  };
}

async function read(name: string): Promise<Greeting> {
  return (await custom.getNamespacedCustomObject({ ...of, name })) as Greeting;
}

/** Tries until it succeeds; after two minutes the last failure is the test's. */
async function eventually(what: string, attempt: () => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + 120_000;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw new Error(`not so: ${what}`, { cause: error });
      await delay(200);
    }
  }
}
