import { setTimeout as delay } from "node:timers/promises";
import type { Sandbox } from "../../lab/src/index.js";
import type { PartOf } from "./parts.js";
import { proportionalSizes, type ProcessMemory } from "./proportional-size.js";

/** Memory of one part of a cluster. */
export interface PartMemory {
  readonly part: string;
  readonly processes: number;
  /** Proportional set size of all its processes. */
  readonly sizeBytes: number;
}

const limitMs = 60_000;
const processMark = "== process ";

/** Prints, for every process, its id, its command line with tabs, and its smaps. */
const listMemory = `for directory in /proc/[0-9]*; do
  command=$(tr '\\0' '\\t' < "$directory/cmdline") 2>/dev/null || continue
  [ -n "$command" ] || continue
  if rollup=$(cat "$directory/smaps_rollup" 2>/dev/null) && [ -n "$rollup" ]; then
    printf '${processMark}%s rollup\\t%s\\n%s\\n' "\${directory#/proc/}" "$command" "$rollup"
  elif smaps=$(cat "$directory/smaps" 2>/dev/null); then
    printf '${processMark}%s smaps\\t%s\\n%s\\n' "\${directory#/proc/}" "$command" "$smaps"
  fi
done`;

/** How long a cluster comes to rest before its memory is read. */
const restMs = 20_000;

/** The memory, at rest, of each part that has processes in the sandbox, in order of appearance. */
export async function readMemory(
  sandbox: Sandbox,
  partOf: PartOf,
  signal: AbortSignal,
): Promise<PartMemory[]> {
  await delay(restMs, undefined, { signal });
  const argv = ["sh", "-c", listMemory];
  const { exitCode, stdout, stderr } = await sandbox.exec(argv, { signal, timeoutMs: limitMs });
  if (exitCode !== 0) throw new Error(`reading the memory of processes: ${stderr}`);
  return memoryByPart(parseProcesses(stdout), partOf);
}

export function parseProcesses(text: string): ProcessMemory[] {
  return text
    .split(processMark)
    .slice(1)
    .map((section) => {
      const lineEnd = section.indexOf("\n");
      const [head = "", ...argv] = section.slice(0, lineEnd).split("\t");
      const [pid, source] = head.split(" ");
      return {
        pid: Number(pid),
        argv: argv.filter((argument) => argument !== ""),
        smaps: section.slice(lineEnd + 1),
        isRollup: source === "rollup",
      };
    });
}

export function memoryByPart(processes: readonly ProcessMemory[], partOf: PartOf): PartMemory[] {
  const sizes = proportionalSizes(processes);
  const parts = new Map<string, PartMemory>();
  for (const { pid, argv } of processes) {
    const part = partOf(argv);
    if (part === null) continue;
    const before = parts.get(part) ?? { part, processes: 0, sizeBytes: 0 };
    parts.set(part, {
      part,
      processes: before.processes + 1,
      sizeBytes: before.sizeBytes + (sizes.get(pid) ?? 0),
    });
  }
  return [...parts.values()];
}
