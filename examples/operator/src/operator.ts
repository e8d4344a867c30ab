import { setTimeout as delay } from "node:timers/promises";
import {
  ApiException,
  AppsV1Api,
  CustomObjectsApi,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type Informer,
  type KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  type ObjectCache,
} from "@kubernetes/client-node";
import { desiredObjects, ownerLabel } from "./desired-objects.js";
import { group, plural, version, type Greeting } from "./greeting.js";
import { WorkQueue } from "./work-queue.js";

const fieldManager = "greeting-operator";
const watchRetryMs = 1_000;

export interface OperatorOptions {
  kubeconfig: KubeConfig;
  namespace: string;
  /** Is told of each failure; the work is tried again. */
  onFailure: (what: string, error: unknown) => void;
  signal: AbortSignal;
}

/** Keeps a Deployment and a Service for each Greeting of a namespace, until the signal is aborted. */
export async function runOperator(options: OperatorOptions): Promise<void> {
  const { kubeconfig, namespace, onFailure, signal } = options;
  const custom = kubeconfig.makeApiClient(CustomObjectsApi);
  const apps = kubeconfig.makeApiClient(AppsV1Api);
  const objects = KubernetesObjectApi.makeApiClient(kubeconfig);
  const queue = new WorkQueue();

  const greetings = makeInformer<Greeting>(
    kubeconfig,
    `/apis/${group}/${version}/namespaces/${namespace}/${plural}`,
    async () =>
      (await custom.listNamespacedCustomObject({
        group,
        version,
        namespace,
        plural,
      })) as KubernetesListObject<Greeting>,
  );
  const deployments = makeInformer(
    kubeconfig,
    `/apis/apps/v1/namespaces/${namespace}/deployments`,
    () => apps.listNamespacedDeployment({ namespace, labelSelector: ownerLabel }),
    ownerLabel,
  );
  onAnyChange(greetings, ({ metadata }) => queue.add(metadata?.name ?? ""));
  onAnyChange(deployments, ({ metadata }) => queue.add(metadata?.labels?.[ownerLabel] ?? ""));

  async function reconcile(name: string): Promise<void> {
    const greeting = greetings.get(name, namespace);
    // A Greeting that is gone takes what it owns along.
    if (greeting === undefined || greeting.metadata.deletionTimestamp !== undefined) return;
    for (const desired of desiredObjects(greeting)) {
      await objects.patch(
        desired,
        undefined,
        undefined,
        fieldManager,
        true,
        PatchStrategy.ServerSideApply,
      );
    }
    const status = {
      observedGeneration: greeting.metadata.generation,
      readyReplicas: deployments.get(name, namespace)?.status?.readyReplicas ?? 0,
    };
    await custom
      .patchNamespacedCustomObjectStatus(
        { group, version, namespace, plural, name, body: { status } },
        setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
      )
      .catch(unlessGone);
  }

  await keepWatching(greetings, options);
  await keepWatching(deployments, options);
  try {
    await queue.run(reconcile, (name, error) => onFailure(`the Greeting ${name}`, error), signal);
  } finally {
    await Promise.all([greetings.stop(), deployments.stop()]);
  }
}

/** An object may go while it is worked on. */
function unlessGone(error: unknown): void {
  if (!(error instanceof ApiException && error.code === 404)) throw error;
}

function onAnyChange<T extends KubernetesObject>(
  informer: Informer<T> & ObjectCache<T>,
  tell: (object: KubernetesObject) => void,
): void {
  informer.on("add", tell);
  informer.on("update", tell);
  informer.on("delete", tell);
}

/** Starts an informer, and starts it again whenever its watch fails. */
async function keepWatching<T extends KubernetesObject>(
  informer: Informer<T>,
  { onFailure, signal }: OperatorOptions,
): Promise<void> {
  const restart = async (cause: unknown): Promise<void> => {
    if (signal.aborted) return;
    onFailure("a watch", cause);
    await delay(watchRetryMs, undefined, { signal }).catch(() => undefined);
    await start();
  };
  const start = async (): Promise<void> => {
    if (!signal.aborted) await informer.start().catch(restart);
  };
  informer.on("error", (cause: unknown) => void restart(cause));
  await start();
}
