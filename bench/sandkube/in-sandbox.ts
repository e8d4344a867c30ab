import type { Sandbox } from "../../lab/src/index.js";
import { requireTimed, type TimedCommandOptions } from "../timed-command.js";
import { bootEvents, type BootEvents } from "./boot-events.js";

/** Test images on this machine, as a directory for the sandbox and file names in it. */
export interface SampleImages {
  readonly directory: string;
  /** The sample application's. */
  readonly hello: string;
  /** Debian's busybox, whose pods can run commands. */
  readonly busybox: string;
}

/** From the request for a Deployment until all of its pods are Running, and Ready; milliseconds. */
export interface PodTimes {
  readonly runningMs: number;
  readonly readyMs: number;
}

/** Runs `sandkube up`. */
export async function up(
  sandbox: Sandbox,
  args: readonly string[],
  options: TimedCommandOptions,
): Promise<{ boot: BootEvents; upMs: number }> {
  const run = await requireTimed(sandbox, ["sandkube", "up", "--json", ...args], options);
  return { boot: bootEvents(run.lines), upMs: run.durationMs };
}

/** Loads one of the images; returns how long that took, in milliseconds. */
export async function loadImage(
  sandbox: Sandbox,
  images: SampleImages,
  archive: "hello" | "busybox",
  options: TimedCommandOptions,
): Promise<number> {
  const path = sandbox.pathInside(`${images.directory}/${images[archive]}`);
  return (await requireTimed(sandbox, ["sandkube", "image", "load", path], options)).durationMs;
}

/** A Deployment of the checkout, and its pods. */
export interface Deployment {
  /** Path of the manifest in the checkout. */
  readonly manifest: string;
  /** Label selector of its pods. */
  readonly selector: string;
  readonly pods: number;
}

/** Those of the measurements. */
export const deployments = {
  /** The sample application. */
  hello: { manifest: "examples/hello/manifests/deployment.yaml", selector: "app=hello", pods: 2 },
  /** Pods that sleep. */
  idle: { manifest: "bench/manifests/idle.yaml", selector: "app=idle", pods: 10 },
  one: { manifest: "bench/manifests/one.yaml", selector: "app=one", pods: 1 },
} as const satisfies Readonly<Record<string, Deployment>>;

/** Creates a Deployment and waits for its pods. */
export async function runPods(
  sandbox: Sandbox,
  kubeconfigPath: string,
  { manifest, selector, pods }: Deployment,
  options: TimedCommandOptions,
): Promise<PodTimes> {
  const script = `${sandbox.checkout}/bench/inside/run-pods.mjs`;
  const path = `${sandbox.checkout}/${manifest}`;
  const argv = ["node", script, kubeconfigPath, path, selector, `${pods}`];
  const { lines } = await requireTimed(sandbox, argv, options);
  const at = (milestone: string): number => {
    const line = lines.find(({ text }) => text === milestone);
    if (line === undefined) throw new Error(`run-pods.mjs did not report ${milestone}`);
    return line.atMs;
  };
  return { runningMs: at("running") - at("begin"), readyMs: at("ready") - at("begin") };
}

/** Id, inside, of a process in the node's own namespaces. */
export async function nodePid(sandbox: Sandbox, signal: AbortSignal): Promise<number> {
  return await processId(sandbox, /sandkube-supervisor node-init\b/, signal);
}

/** Id, inside, of the process with this command line. Throws when there is none. */
export async function processId(
  sandbox: Sandbox,
  command: RegExp,
  signal: AbortSignal,
): Promise<number> {
  const processes = await sandbox.processes(signal);
  const found = processes.find((process) => command.test(process.command));
  if (found === undefined) throw new Error(`the sandbox has no process like ${command.source}`);
  return found.pid;
}
