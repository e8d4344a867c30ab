import { bootSandbox, type Sandbox, type SandboxKind } from "../../lab/src/index.js";
import { measureIdle, type IdleUse } from "../idle/measure-idle.js";
import { sandkubePartOf } from "../memory/parts.js";
import { median } from "../statistics.js";
import { requireTimed, type TimedCommandOptions } from "../timed-command.js";
import { deployments, loadImage, nodePid, runPods, up, type SampleImages } from "./in-sandbox.js";

/** A cluster with ten pods: at rest, then in use, then stopped and resumed. Times in milliseconds. */
export interface UseRun {
  readonly idle: IdleUse;
  /** `sandkube --help` and `sandkube status`, from the command's start to its end. */
  readonly helpMs: number;
  readonly statusMs: number;
  /** Node.js that runs nothing: what every command takes at least. */
  readonly emptyNodeMs: number;
  /** `kubectl exec POD -- true`, the start of kubectl included, and `kubectl version --client`. */
  readonly execMs: number;
  readonly kubectlMs: number;
  /** From the request for a Deployment of one replica until its pod is Running. */
  readonly podMs: number;
  readonly runtimeCalls: RuntimeCalls;
  /** `sandkube down` with the pods of this run, each with a second of grace. */
  readonly downMs: number;
  /** `sandkube up` after it. */
  readonly warmUpMs: number;
}

/** Medians of calls of plain runc and of runc with the OCI adapter. */
export interface RuntimeCalls {
  readonly runc: RuntimeCallTimes;
  readonly adapter: RuntimeCallTimes;
}

interface RuntimeCallTimes {
  readonly createMs: number;
  readonly deleteMs: number;
}

const limitMs = 180_000;
const repetitions = 9;
const runtimeTurns = 41;

export async function measureUse(
  kind: SandboxKind,
  images: SampleImages,
  signal: AbortSignal,
): Promise<UseRun> {
  await using sandbox = await bootSandbox({ kind, imagesDirectory: images.directory, signal });
  const options = { signal, limitMs };
  const { boot } = await up(sandbox, [], options);
  await loadImage(sandbox, images, "busybox", options);
  await runPods(sandbox, boot.kubeconfigPath, deployments.idle, options);
  const atRest = await measureIdle(sandbox, sandkubePartOf, signal);
  const { runningMs } = await runPods(sandbox, boot.kubeconfigPath, deployments.one, options);
  const kubectl = ["sandkube", "kubectl"];
  const time = (argv: readonly string[]) => medianTime(sandbox, argv, options);
  return {
    idle: atRest,
    podMs: runningMs,
    emptyNodeMs: await time(["node", "--eval", ""]),
    helpMs: await time(["sandkube", "--help"]),
    statusMs: await time(["sandkube", "status"]),
    kubectlMs: await time([...kubectl, "version", "--client"]),
    execMs: await time([...kubectl, "exec", "deployment/one", "--", "true"]),
    runtimeCalls: await timeRuntimeCalls(sandbox, boot.kubeconfigPath, options),
    downMs: (await requireTimed(sandbox, ["sandkube", "down"], options)).durationMs,
    warmUpMs: (await up(sandbox, [], options)).upMs,
  };
}

async function medianTime(
  sandbox: Sandbox,
  argv: readonly string[],
  options: TimedCommandOptions,
): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < repetitions; run += 1) {
    times.push((await requireTimed(sandbox, argv, options)).durationMs);
  }
  return median(times);
}

/** Runs the measurement where containers are started: in the node's mount and pid namespaces. */
async function timeRuntimeCalls(
  sandbox: Sandbox,
  kubeconfigPath: string,
  options: TimedCommandOptions,
): Promise<RuntimeCalls> {
  const pid = await nodePid(sandbox, options.signal);
  const namespaces = [`--mount=/proc/${pid}/ns/mnt`, `--pid=/proc/${pid}/ns/pid`];
  const script = `${sandbox.checkout}/bench/inside/time-runc.mjs`;
  const node = kubeconfigPath.replace(/kubeconfig$/, "node");
  const command = `exec "$@" "$SANDKUBE_PROGRAMS" "${node}" ${runtimeTurns}`;
  const argv = ["nsenter", ...namespaces, "node", script];
  const { lines } = await requireTimed(sandbox, ["sh", "-c", command, "bench", ...argv], options);
  const result = lines.find(({ text }) => text.startsWith("{"));
  if (result === undefined) throw new Error("time-runc.mjs printed no result");
  return JSON.parse(result.text) as RuntimeCalls;
}
