import { monotonicMs, sleep, type Deadline } from "../platform/clock.js";
import { lookUpAt } from "../platform/name-lookup.js";
import { SandkubeError } from "../errors.js";
import type { ProgressListener, RoleName } from "../events.js";
import { tailOf } from "../platform/files.js";
import type { KubeClient } from "./kube-client.js";
import { hasNotReadyTaint, reasonNodeNotReady } from "./node-conditions.js";

const pollIntervalMs = 100;
const reportIntervalMs = 1_000;
const lookupTimeoutMs = 1_000;
/** A name that every cluster has. */
const apiServerName = "kubernetes.default.svc.cluster.local";

/** How the waits share their limits and tell of their progress. */
export interface WaitContext {
  client: Pick<KubeClient, "get" | "getObject">;
  deadline: Deadline;
  /** Aborted when the caller cancels, or, with the failure as its reason, when the runtime has failed. */
  signal: AbortSignal;
  emit: ProgressListener;
  /** The path of a role's log, named when the limit is reached. */
  log: (role: RoleName) => string;
  /** The services of a role that are not ready yet, for people. */
  unready: (role: RoleName) => string[];
}

/** Something to wait for. */
interface Condition {
  /** What is awaited, for people, such as "the API server to answer". */
  for: string;
  /** The role whose log tells why it does not come. */
  role: RoleName;
  /** What is missing, for people; null when the condition holds. A rejection counts as missing. */
  missing: (signal: AbortSignal) => Promise<string | null>;
}

/** Waits until the API server says that it is ready to serve. */
export async function waitForApi(context: WaitContext): Promise<void> {
  await waitFor(context, {
    for: "the API server to be ready",
    role: "control-plane",
    missing: async (signal) =>
      (await context.client.get("/readyz", signal)) === null ? "/readyz is not served" : null,
  });
}

/** The node to wait for. Its object in the API outlives the process that it stands for. */
export interface AwaitedNode {
  name: string;
  /** The process that it stands for. */
  role: RoleName;
  /** When the runtime was started, in milliseconds since the epoch. */
  startedAt: number;
  /** Whether the process behind it runs and is ready now. */
  isRoleReady: (signal: AbortSignal) => Promise<boolean>;
}

/** Waits until a node is Ready, by what it has reported since it was started. */
export async function waitForNode(context: WaitContext, node: AwaitedNode): Promise<void> {
  await waitFor(context, {
    for: `the node ${node.name} to be Ready`,
    role: node.role,
    missing: async (signal) => {
      const object = await context.client.getObject(`/api/v1/nodes/${node.name}`, signal);
      const reason = reasonNodeNotReady(object, node.startedAt);
      if (reason !== null) return reason;
      return (await node.isRoleReady(signal)) ? null : "the node's process is not ready";
    },
  });
}

/**
 * Waits until a pod in the default namespace is admitted, and, with nodes, scheduled to each:
 * a node is Ready some time before its taint is taken away, and pods are refused
 * before the controllers have made the namespace's ServiceAccount.
 */
export async function waitForSchedulable(
  context: WaitContext,
  nodes: readonly AwaitedNode[],
): Promise<void> {
  await waitFor(context, {
    for: "pods to be admitted",
    role: "control-plane",
    missing: async (signal) => {
      const present = async (path: string) => (await context.client.get(path, signal)) !== null;
      const namespace = "/api/v1/namespaces/default";
      if (!(await present(`${namespace}/serviceaccounts/default`))) {
        return "there is no ServiceAccount default/default";
      }
      if (!(await present(`${namespace}/configmaps/kube-root-ca.crt`))) {
        return "there is no ConfigMap default/kube-root-ca.crt";
      }
      for (const node of nodes) {
        const object = await context.client.getObject(`/api/v1/nodes/${node.name}`, signal);
        const reason = reasonNodeNotReady(object, node.startedAt);
        if (reason !== null) return reason;
        if (hasNotReadyTaint(object)) return `the node ${node.name} still has its not-ready taint`;
      }
      return null;
    },
  });
}

/**
 * Waits until the cluster's DNS gives the API server's name an address: by the same way as for
 * pods, through the Service proxy at its ClusterIP.
 */
export async function waitForDns(context: WaitContext, address: string): Promise<void> {
  await waitFor(context, {
    for: `the cluster's DNS at ${address} to answer`,
    role: "network",
    missing: async (signal) => {
      const options = { timeoutMs: lookupTimeoutMs, signal };
      const found = await lookUpAt(address, apiServerName, options);
      return found.length > 0 ? null : `it has no address for ${apiServerName}`;
    },
  });
}

async function waitFor(context: WaitContext, condition: Condition): Promise<void> {
  const { deadline, signal } = context;
  const start = monotonicMs();
  let nextReport = start + reportIntervalMs;
  for (;;) {
    signal.throwIfAborted();
    const missing = await lookAt(condition, signal);
    if (missing === null) return;
    const now = monotonicMs();
    if (deadline.passed()) throw await timeout(context, condition, missing);
    if (now >= nextReport) {
      nextReport = now + reportIntervalMs;
      context.emit({ type: "waiting", for: condition.for, elapsedMs: Math.round(now - start) });
    }
    await sleep(Math.min(pollIntervalMs, deadline.leftMs()), signal);
  }
}

/** Looks once; what goes wrong meanwhile, such as a refused connection, is why the condition does not hold. */
async function lookAt(condition: Condition, signal: AbortSignal): Promise<string | null> {
  try {
    return await condition.missing(signal);
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Error ? error.message : String(error);
  }
}

async function timeout(
  context: WaitContext,
  condition: Condition,
  missing: string,
): Promise<SandkubeError> {
  const log = context.log(condition.role);
  const unready = context.unready(condition.role);
  const culprits = unready.length === 0 ? "" : `; not ready: ${unready.join(", ")}`;
  return new SandkubeError(
    "E_TIMEOUT",
    `waited ${context.deadline.limitMs / 1000} s for ${condition.for}: ${missing}${culprits}`,
    {
      hint: "See the log; on a slow machine allow more time with --timeout.",
      details: {
        awaited: condition.for,
        missing,
        unready,
        role: condition.role,
        log,
        output: await tailOf(log, 10),
      },
    },
  );
}
