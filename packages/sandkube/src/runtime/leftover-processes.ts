import { basename } from "node:path";
import { deadlineIn, sleep } from "../platform/clock.js";
import {
  isRunning,
  listProcesses,
  signalProcess,
  type ProcessDescription,
  type ProcessIdentity,
} from "../platform/process-identity.js";
import type { ClusterPaths } from "../state/cluster-paths.js";
import { programNames } from "./locate-programs.js";

const endTimeoutMs = 5_000;
const pollIntervalMs = 20;

/** Commands of sandkube-runtime that a user runs, and that may name the cluster's kubeconfig. */
const userCommands = new Set(["kubectl", "helm"]);

/** Whether a process is one of sandkube's programs at work for the cluster in a directory. */
export function worksForCluster(process: ProcessDescription, clusterDirectory: string): boolean {
  const [program, command] = process.commandLine;
  if (program === undefined) return false;
  if (!programNames.some((name) => name === basename(program))) return false;
  if (command !== undefined && userCommands.has(command)) return false;
  return process.commandLine.some((argument) => argument.includes(`${clusterDirectory}/`));
}

/**
 * Kills the processes of a cluster that outlived its supervisor, found by their command
 * lines; those that are about to end have `patienceMs` milliseconds for it. Gives the
 * ones that are still there after the limit.
 */
export async function killLeftoverProcesses(
  paths: ClusterPaths,
  patienceMs: number,
): Promise<ProcessIdentity[]> {
  if (patienceMs > 0) await untilAllEnded(await leftoverProcesses(paths), patienceMs);
  const deadline = deadlineIn(endTimeoutMs);
  for (;;) {
    const leftovers = await leftoverProcesses(paths);
    if (leftovers.length === 0 || deadline.passed()) return leftovers;
    for (const leftover of leftovers) await signalProcess(leftover, "SIGKILL");
    await untilAllEnded(leftovers, deadline.leftMs());
  }
}

async function leftoverProcesses(paths: ClusterPaths): Promise<ProcessDescription[]> {
  const processes = await listProcesses();
  return processes.filter((process) => worksForCluster(process, paths.directory));
}

async function untilAllEnded(
  identities: readonly ProcessIdentity[],
  limitMs: number,
): Promise<void> {
  const deadline = deadlineIn(limitMs);
  for (const identity of identities) {
    while (!deadline.passed() && (await isRunning(identity))) await sleep(pollIntervalMs);
  }
}
