import * as fs from "node:fs/promises";
import { SandkubeError } from "../errors.js";
import { nodeRoleName, type ProgressListener } from "../events.js";
import { KubeClient } from "../kube/kube-client.js";
import { parseKubeconfig, type KubeconfigCredentials } from "../kube/kubeconfig.js";
import {
  waitForApi,
  waitForDns,
  waitForNode,
  waitForSchedulable,
  type AwaitedNode,
  type WaitContext,
} from "../kube/waits.js";
import { deadlineIn, monotonicMs, sleep, type Deadline } from "../platform/clock.js";
import { exists } from "../platform/files.js";
import type { SupervisorClient } from "../runtime/supervisor-client.js";
import { watchRuntime } from "../runtime/watch-runtime.js";
import type { ClusterPaths } from "../state/cluster-paths.js";
import type { StepRunner } from "./step.js";

const kubeconfigTimeoutMs = 10_000;
const kubeconfigPollMs = 20;

/** When the cluster reached each milestone, in milliseconds since the start of `up`. */
export interface BootTimings {
  apiReadyMs: number;
  /** When all nodes were; null for a cluster without a node. */
  nodeReadyMs: number | null;
  schedulableMs: number;
  /** When the cluster's DNS answered; null for a cluster without a node. */
  dnsReadyMs: number | null;
}

export interface UsableRequest {
  client: SupervisorClient;
  paths: ClusterPaths;
  /** The names of the nodes, in the order of their numbers. */
  nodes: readonly string[];
  /** Null for a cluster without a node. */
  dnsAddress: string | null;
  /** Start of `up`: on the monotonic clock, and since the epoch. */
  startMs: number;
  startedAt: number;
  deadline: Deadline;
  signal: AbortSignal;
  emit: ProgressListener;
  step: StepRunner;
}

/** Waits, milestone by milestone, until a pod can be scheduled; ends at once when the runtime fails. */
export async function waitUntilUsable(request: UsableRequest): Promise<BootTimings> {
  const { client, paths, emit, step } = request;
  await using watch = watchRuntime(client, paths, request.startedAt, emit);
  const signal = AbortSignal.any([request.signal, watch.failed]);
  using api = new KubeClient(await readCredentials(paths, signal));
  const context: WaitContext = {
    client: api,
    deadline: request.deadline,
    signal,
    emit,
    log: paths.log,
    unready: (role) => watch.unready(role),
  };
  const sinceStart = () => Math.round(monotonicMs() - request.startMs);

  await step({
    name: "api-ready",
    title: "Waiting for the API server",
    run: () => waitForApi(context),
  });
  const apiReadyMs = sinceStart();
  let nodeReadyMs: number | null = null;
  const nodes = await awaitedNodes(request.nodes, client, signal);
  const hasNode = nodes.length > 0;
  if (hasNode) {
    await step({
      name: "node-ready",
      title: nodes.length === 1 ? "Waiting for the node" : `Waiting for ${nodes.length} nodes`,
      run: async () => {
        for (const node of nodes) await waitForNode(context, node);
      },
    });
    nodeReadyMs = sinceStart();
  }
  await step({
    name: "schedulable",
    title: hasNode ? "Waiting until pods can be scheduled" : "Waiting for the controllers",
    run: () => waitForSchedulable(context, nodes),
  });
  const schedulableMs = sinceStart();
  const { dnsAddress } = request;
  if (dnsAddress === null) return { apiReadyMs, nodeReadyMs, schedulableMs, dnsReadyMs: null };
  await step({
    name: "dns",
    title: "Waiting for the cluster's DNS",
    run: () => waitForDns(context, dnsAddress),
  });
  return { apiReadyMs, nodeReadyMs, schedulableMs, dnsReadyMs: sinceStart() };
}

async function awaitedNodes(
  names: readonly string[],
  client: SupervisorClient,
  signal: AbortSignal,
): Promise<AwaitedNode[]> {
  const status = await client.status(signal);
  const startedAt = status === null ? Date.now() : Date.parse(status.startedAt);
  return names.map((name, index) => {
    const nodeRole = nodeRoleName("node", index + 1);
    return {
      name,
      role: nodeRole,
      startedAt,
      isRoleReady: async (look) => {
        const roles = (await client.status(look))?.roles ?? [];
        return roles.some(({ role, ready }) => role === nodeRole && ready);
      },
    };
  });
}

/** The supervisor writes the kubeconfig before it starts a role, but may already listen by then. */
async function readCredentials(
  paths: ClusterPaths,
  signal: AbortSignal,
): Promise<KubeconfigCredentials> {
  const deadline = deadlineIn(kubeconfigTimeoutMs);
  while (!(await exists(paths.kubeconfig))) {
    if (deadline.passed()) {
      throw new SandkubeError(
        "E_TIMEOUT",
        `waited ${kubeconfigTimeoutMs / 1000} s for the supervisor to write ${paths.kubeconfig}`,
        { details: { role: "supervisor", log: paths.log("supervisor") } },
      );
    }
    await sleep(kubeconfigPollMs, signal);
  }
  return parseKubeconfig(await fs.readFile(paths.kubeconfig, "utf8"), paths.kubeconfig);
}
