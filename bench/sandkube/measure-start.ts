import { posix } from "node:path";
import { bootSandbox, type Sandbox, type SandboxKind } from "../../lab/src/index.js";
import { memoryBytes } from "../host/host-processes.js";
import { sandkubePartOf } from "../memory/parts.js";
import { readMemory, type PartMemory } from "../memory/read-memory.js";
import { readTmpfsBytes } from "../memory/read-tmpfs.js";
import { readUsedBytes } from "../memory/read-used.js";
import { stepEnd, type BootEvents } from "./boot-events.js";
import { deployments, loadImage, nodePid, runPods, up, type SampleImages } from "./in-sandbox.js";

/** One cold start of a cluster with a node, up to two running pods. All times in milliseconds. */
export interface NodeRun {
  readonly apiReadyMs: number;
  readonly nodeReadyMs: number;
  readonly schedulableMs: number;
  /** Until the cluster's DNS answered through the Service proxy. */
  readonly dnsReadyMs: number;
  /** Until the command ended. */
  readonly upMs: number;
  readonly imageLoadMs: number;
  /** From the request for a Deployment of two replicas until both pods are Running. */
  readonly podsMs: number;
  /** The same until both are Ready; their probe looks once a second. */
  readonly podsReadyMs: number;
  readonly boot: BootEvents;
  /** The document by which everything was started, JSON. */
  readonly nodeSpec: string;
  readonly memory: readonly PartMemory[];
  readonly tmpfsBytes: number;
  /** In use in the whole sandbox, as it says itself; null on the bare kernel. */
  readonly usedBytes: number | null;
  /** What the whole sandbox holds of this machine's memory, gVisor itself and the pods included. */
  readonly hostMemoryBytes: number;
}

/** One cold start of a control plane without a node. */
export interface ControlPlaneRun {
  readonly apiReadyMs: number;
  readonly upMs: number;
  readonly boot: BootEvents;
}

const limitMs = 180_000;

export async function measureNode(
  kind: SandboxKind,
  images: SampleImages,
  signal: AbortSignal,
): Promise<NodeRun> {
  await using sandbox = await bootSandbox({ kind, imagesDirectory: images.directory, signal });
  const options = { signal, limitMs };
  const { boot, upMs } = await up(sandbox, [], options);
  const imageLoadMs = await loadImage(sandbox, images, "hello", options);
  const pods = await runPods(sandbox, boot.kubeconfigPath, deployments.hello, options);
  return {
    apiReadyMs: stepEnd(boot, "api-ready"),
    nodeReadyMs: stepEnd(boot, "node-ready"),
    schedulableMs: stepEnd(boot, "schedulable"),
    dnsReadyMs: stepEnd(boot, "dns"),
    upMs,
    imageLoadMs,
    podsMs: pods.runningMs,
    podsReadyMs: pods.readyMs,
    boot,
    nodeSpec: await readNodeSpec(sandbox, boot.kubeconfigPath, signal),
    memory: await readMemory(sandbox, sandkubePartOf, signal),
    usedBytes: await readUsedBytes(sandbox, signal),
    hostMemoryBytes: await memoryBytes(sandbox.hostPid),
    tmpfsBytes: await readTmpfsBytes(sandbox, await nodePid(sandbox, signal), signal),
  };
}

async function readNodeSpec(
  sandbox: Sandbox,
  kubeconfigPath: string,
  signal: AbortSignal,
): Promise<string> {
  const path = `${posix.dirname(kubeconfigPath)}/node-spec.json`;
  const { exitCode, stdout, stderr } = await sandbox.exec(["cat", path], { signal });
  if (exitCode !== 0) throw new Error(`reading the node spec: ${stderr}`);
  return stdout;
}

export async function measureControlPlane(
  kind: SandboxKind,
  signal: AbortSignal,
): Promise<ControlPlaneRun> {
  await using sandbox = await bootSandbox({ kind, signal });
  const { boot, upMs } = await up(sandbox, ["--control-plane"], { signal, limitMs });
  return { apiReadyMs: stepEnd(boot, "api-ready"), upMs, boot };
}
