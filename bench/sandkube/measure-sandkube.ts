import type { Sandbox, SandboxKind } from "../../lab/src/index.js";
import { bootSandbox } from "../../lab/src/index.js";
import { sandkubePartOf } from "../memory/parts.js";
import { readMemory, type PartMemory } from "../memory/read-memory.js";
import { readTmpfsBytes } from "../memory/read-tmpfs.js";
import { requireTimed, type TimedCommandOptions } from "../timed-command.js";
import { bootEvents, stepEnd, type BootEvents } from "./boot-events.js";

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
  readonly memory: readonly PartMemory[];
  readonly tmpfsBytes: number;
}

/** One cold start of a control plane without a node. */
export interface ControlPlaneRun {
  readonly apiReadyMs: number;
  readonly upMs: number;
  readonly boot: BootEvents;
}

/** The sample image on this machine, as a directory for the sandbox and a file name in it. */
export interface SampleImage {
  readonly directory: string;
  readonly archive: string;
}

const limitMs = 180_000;

export async function measureNode(
  kind: SandboxKind,
  image: SampleImage,
  signal: AbortSignal,
): Promise<NodeRun> {
  await using sandbox = await bootSandbox({ kind, imagesDirectory: image.directory, signal });
  const options = { signal, limitMs };
  const { boot, upMs } = await up(sandbox, [], options);
  const archive = sandbox.pathInside(`${image.directory}/${image.archive}`);
  const load = await requireTimed(sandbox, ["sandkube", "image", "load", archive], options);
  const pods = await runPods(sandbox, boot.kubeconfigPath, options);
  return {
    apiReadyMs: stepEnd(boot, "api-ready"),
    nodeReadyMs: stepEnd(boot, "node-ready"),
    schedulableMs: stepEnd(boot, "schedulable"),
    dnsReadyMs: stepEnd(boot, "dns"),
    upMs,
    imageLoadMs: load.durationMs,
    ...pods,
    boot,
    memory: await readMemory(sandbox, sandkubePartOf, signal),
    tmpfsBytes: await readTmpfsBytes(sandbox, await nodePid(sandbox, signal), signal),
  };
}

export async function measureControlPlane(
  kind: SandboxKind,
  signal: AbortSignal,
): Promise<ControlPlaneRun> {
  await using sandbox = await bootSandbox({ kind, signal });
  const { boot, upMs } = await up(sandbox, ["--control-plane"], { signal, limitMs });
  return { apiReadyMs: stepEnd(boot, "api-ready"), upMs, boot };
}

async function up(
  sandbox: Sandbox,
  args: readonly string[],
  options: TimedCommandOptions,
): Promise<{ boot: BootEvents; upMs: number }> {
  const run = await requireTimed(sandbox, ["sandkube", "up", "--json", ...args], options);
  return { boot: bootEvents(run.lines), upMs: run.durationMs };
}

async function runPods(
  sandbox: Sandbox,
  kubeconfigPath: string,
  options: TimedCommandOptions,
): Promise<Pick<NodeRun, "podsMs" | "podsReadyMs">> {
  const script = `${sandbox.checkout}/bench/inside/run-pods.mjs`;
  const manifest = `${sandbox.checkout}/examples/hello/manifests/deployment.yaml`;
  const argv = ["node", script, kubeconfigPath, manifest, "app=hello", "2"];
  const { lines } = await requireTimed(sandbox, argv, options);
  const at = (milestone: string): number => {
    const line = lines.find(({ text }) => text === milestone);
    if (line === undefined) throw new Error(`run-pods.mjs did not report ${milestone}`);
    return line.atMs;
  };
  return { podsMs: at("running") - at("begin"), podsReadyMs: at("ready") - at("begin") };
}

async function nodePid(sandbox: Sandbox, signal: AbortSignal): Promise<number> {
  const processes = await sandbox.processes(signal);
  const nodeInit = processes.find(({ command }) => /sandkube-supervisor node-init\b/.test(command));
  if (nodeInit === undefined) throw new Error("the cluster has no node-init process");
  return nodeInit.pid;
}
