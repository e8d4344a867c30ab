import type { Sandbox } from "../../lab/src/index.js";
import { sandkubePartOf } from "../memory/parts.js";
import { readMemory } from "../memory/read-memory.js";

/** What the process of the node's network holds. */
export interface NetworkProcess {
  /** Proportional set size: its own memory, and what of its program is in memory. */
  readonly proportionalBytes: number;
  /** Memory that is its own: heap, stacks, written data. */
  readonly anonymousBytes: number;
  readonly openDescriptors: number;
  readonly threads: number;
}

const limitMs = 60_000;
const part = "network";

/** Prints a number a line: anonymous memory in KiB, descriptors, threads. */
const readProcess = `awk '/^Anonymous:/ { sum += $2 } END { print sum }' "/proc/$1/smaps" &&
ls "/proc/$1/fd" | wc -l && ls "/proc/$1/task" | wc -l`;

/** Reads the process of sandkube-network once the cluster has come to rest, which takes 20 s. */
export async function readNetworkProcess(
  sandbox: Sandbox,
  signal: AbortSignal,
): Promise<NetworkProcess> {
  const memory = await readMemory(sandbox, sandkubePartOf, signal);
  const found = memory.find((candidate) => candidate.part === part);
  const processes = await sandbox.processes(signal);
  const row = processes.find(({ command }) => /\/sandkube-network run\b/.test(command));
  if (found === undefined || row === undefined) throw new Error("sandkube-network does not run");
  const argv = ["sh", "-c", readProcess, "bench", `${row.pid}`];
  const { exitCode, stdout, stderr } = await sandbox.exec(argv, { signal, timeoutMs: limitMs });
  const [anonymousKiB, openDescriptors, threads] = stdout.trim().split("\n").map(Number);
  if (exitCode !== 0 || !anonymousKiB || !openDescriptors || !threads) {
    throw new Error(`reading the process of sandkube-network: ${stdout}${stderr}`);
  }
  return {
    proportionalBytes: found.sizeBytes,
    anonymousBytes: anonymousKiB * 1024,
    openDescriptors,
    threads,
  };
}
