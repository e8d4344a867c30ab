import type { Sandbox, SandboxKind } from "../../lab/src/index.js";
import { memoryBytes } from "../host/host-processes.js";
import { measureIdle, type IdleUse } from "../idle/measure-idle.js";
import { apartPartOf } from "../memory/parts.js";
import { readMemory, type PartMemory } from "../memory/read-memory.js";
import { readTmpfsBytes } from "../memory/read-tmpfs.js";
import { readUsedBytes } from "../memory/read-used.js";
import { deployments, processId, runPods, type SampleImages } from "../sandkube/in-sandbox.js";
import { requireTimed, type TimedCommandOptions } from "../timed-command.js";
import { bootWithPrograms, programsInside, type PeerPrograms } from "./programs.js";

/**
 * One cold start of a cluster whose parts are upstream's programs in processes of their own, up to two
 * running pods; then at rest with ten. All times in milliseconds.
 */
export interface ApartRun {
  readonly apiReadyMs: number;
  readonly nodeReadyMs: number;
  /** Until the command that starts everything ended: pods can be made. */
  readonly startMs: number;
  /** From the request for a Deployment of two replicas until both pods are Running. */
  readonly podsMs: number;
  readonly memory: readonly PartMemory[];
  readonly tmpfsBytes: number;
  /** In use in the whole sandbox, as it says itself; null on the bare kernel. */
  readonly usedBytes: number | null;
  /** What the whole sandbox holds of this machine's memory. */
  readonly hostMemoryBytes: number;
  readonly idle: IdleUse;
}

const limitMs = 180_000;

/** Keeps the node spec on standard input as that of a new directory, and prints its path. */
const keepSpec = `directory="\${SANDKUBE_DATA:-/var/lib/sandkube}/apart"
mkdir -p "$directory" && cat > "$directory/node-spec.json" && echo "$directory"`;

/** `nodeSpec` is the document that sandkube made in a sandbox of the same kind. */
export async function measureApart(
  kind: SandboxKind,
  programs: PeerPrograms,
  nodeSpec: string,
  images: SampleImages,
  signal: AbortSignal,
): Promise<ApartRun> {
  const inside = programsInside(kind, programs);
  const options = { signal, limitMs };
  await using sandbox = await bootWithPrograms(kind, programs, {
    imagesDirectory: images.directory,
    signal,
  });
  const directory = await putSpec(sandbox, nodeSpec, signal);
  const path = [inside.kubernetes, inside.kwok, inside.containerd, inside.coredns];
  const env = { PATH: [...path, "/usr/sbin:/usr/bin:/sbin:/bin"].join(":") };
  const start = [`${inside.apart}/apart`, "start", directory];
  const { lines, durationMs } = await requireTimed(sandbox, start, { ...options, env });
  const at = (milestone: string): number => {
    const line = lines.find(({ text }) => text === milestone);
    if (line === undefined) throw new Error(`apart start did not report ${milestone}`);
    return line.atMs;
  };
  const kubeconfig = `${directory}/kubeconfig`;
  await importImage(sandbox, directory, `${images.directory}/${images.hello}`, options);
  const pods = await runPods(sandbox, kubeconfig, deployments.hello, options);
  const atTwoPods = {
    apiReadyMs: at("api-ready"),
    nodeReadyMs: at("node-ready"),
    startMs: durationMs,
    podsMs: pods.runningMs,
    memory: await readMemory(sandbox, apartPartOf, signal),
    usedBytes: await readUsedBytes(sandbox, signal),
    hostMemoryBytes: await memoryBytes(sandbox.hostPid),
    tmpfsBytes: await readTmpfsBytes(
      sandbox,
      await processId(sandbox, /\/apart node\b/, signal),
      signal,
    ),
  };
  const kubectl = [`${inside.kubernetes}/kubectl`, "--kubeconfig", kubeconfig];
  const remove = ["delete", "deployment", "hello", "--cascade=foreground", "--wait"];
  await requireTimed(sandbox, [...kubectl, ...remove], options);
  await importImage(sandbox, directory, `${images.directory}/${images.busybox}`, options);
  await runPods(sandbox, kubeconfig, deployments.idle, options);
  return { ...atTwoPods, idle: await measureIdle(sandbox, apartPartOf, signal) };
}

async function putSpec(sandbox: Sandbox, nodeSpec: string, signal: AbortSignal): Promise<string> {
  const argv = ["sh", "-c", keepSpec];
  const { exitCode, stdout, stderr } = await sandbox.exec(argv, { stdin: nodeSpec, signal });
  if (exitCode !== 0) throw new Error(`keeping the node spec: ${stderr}`);
  return stdout.trim();
}

/** Brings an archive in by containerd's own client. */
async function importImage(
  sandbox: Sandbox,
  directory: string,
  archive: string,
  options: TimedCommandOptions,
): Promise<void> {
  const ctr = `exec "$SANDKUBE_PROGRAMS/sandkube-containerd" ctr "$@"`;
  const at = ["--address", `${directory}/node/run/containerd.sock`, "--namespace", "k8s.io"];
  const importing = ["images", "import", sandbox.pathInside(archive)];
  await requireTimed(sandbox, ["sh", "-c", ctr, "bench", ...at, ...importing], options);
}
