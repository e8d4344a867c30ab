import type { SandboxKind } from "../../lab/src/index.js";
import { memoryBytes } from "../host/host-processes.js";
import { measureIdle, type IdleUse } from "../idle/measure-idle.js";
import { readMemory, type PartMemory } from "../memory/read-memory.js";
import { readUsedBytes } from "../memory/read-used.js";
import { kwokctlPartOf } from "../memory/parts.js";
import { requireTimed } from "../timed-command.js";
import { bootWithPrograms, programsInside, type PeerPrograms } from "./programs.js";

/** One cold start of kwokctl's cluster: a control plane, and a controller that simulates nodes. */
export interface KwokctlRun {
  /** From the command's start until it reports the cluster ready and ends. */
  readonly readyMs: number;
  readonly memory: readonly PartMemory[];
  /** In use in the whole sandbox, as it says itself; null on the bare kernel. */
  readonly usedBytes: number | null;
  /** What the whole sandbox holds of this machine's memory. */
  readonly hostMemoryBytes: number;
  readonly idle: IdleUse;
}

const limitMs = 120_000;

/**
 * kwokctl keeps its clusters below HOME, which on the bare kernel is this machine's: there they go
 * to the sandbox's own data directory.
 */
const atHome = `export HOME="\${SANDKUBE_DATA:-$HOME}"; mkdir -p "$HOME"; exec "$@"`;

export async function measureKwokctl(
  kind: SandboxKind,
  programs: PeerPrograms,
  signal: AbortSignal,
): Promise<KwokctlRun> {
  const directories = programsInside(kind, programs);
  await using sandbox = await bootWithPrograms(kind, programs, { signal });
  const argv = ["sh", "-c", atHome, "bench", ...createCluster(directories)];
  const env = { PATH: `${directories.kubernetes}:/usr/sbin:/usr/bin:/sbin:/bin` };
  const run = await requireTimed(sandbox, argv, { signal, limitMs, env });
  // A failure to become ready is only a line of its output.
  const ready = run.lines.find(({ text }) => text.includes("Cluster is ready"));
  if (ready === undefined) {
    const output = run.lines.map(({ text }) => `  | ${text}`).join("\n");
    throw new Error(`kwokctl did not report a ready cluster:\n${output}`);
  }
  return {
    readyMs: run.durationMs,
    memory: await readMemory(sandbox, kwokctlPartOf, signal),
    usedBytes: await readUsedBytes(sandbox, signal),
    hostMemoryBytes: await memoryBytes(sandbox.hostPid),
    idle: await measureIdle(sandbox, kwokctlPartOf, signal),
  };
}

/** Its defaults in all but the programs, which are at hand, so that nothing is downloaded. */
function createCluster(directories: PeerPrograms): string[] {
  const binary = (name: string): string => `${directories.kubernetes}/${name}`;
  return [
    `${directories.kwok}/kwokctl`,
    ...["create", "cluster", "--runtime", "binary", "--wait", "60s"],
    ...["--kube-apiserver-binary", binary("kube-apiserver")],
    ...["--kube-controller-manager-binary", binary("kube-controller-manager")],
    ...["--kube-scheduler-binary", binary("kube-scheduler")],
    ...["--etcd-binary", `${directories.kwok}/etcd`],
    ...["--kwok-controller-binary", `${directories.kwok}/kwok`],
  ];
}
