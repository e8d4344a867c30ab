import { setTimeout as delay } from "node:timers/promises";
import type { Sandbox } from "../../lab/src/index.js";
import { parseStat, processorMs } from "../host/host-processes.js";
import type { PartOf } from "../memory/parts.js";

/** Processor time of one part, as a share of one core; 1 is a whole core. */
export interface PartShare {
  readonly part: string;
  readonly share: number;
}

/** What a cluster takes that has nothing to do. Shares of one core. */
export interface IdleUse {
  /** Of this machine, by all that the sandbox consists of. */
  readonly hostShare: number;
  /**
   * By part, as the sandbox counts. gVisor takes a sample of what runs at each tick of its clock, so
   * that these shares tell the parts apart but do not add up to the machine's.
   */
  readonly parts: readonly PartShare[];
}

const limitMs = 60_000;
/** How long a cluster comes to rest: the garbage collector of its parts is then set for idling. */
const restMs = 30_000;
const windowMs = 60_000;

/** Prints, for every process, its line of /proc/PID/stat, a tab and its command line with tabs. */
const listTimes = `for directory in /proc/[0-9]*; do
  command=$(tr '\\0' '\\t' < "$directory/cmdline") 2>/dev/null || continue
  [ -n "$command" ] || continue
  stat=$(cat "$directory/stat" 2>/dev/null) || continue
  printf '%s\\t%s\\n' "$stat" "$command"
done`;

/** Measures for a minute, after half a minute of rest, without a process of its own inside. */
export async function measureIdle(
  sandbox: Sandbox,
  partOf: PartOf,
  signal: AbortSignal,
): Promise<IdleUse> {
  await delay(restMs, undefined, { signal });
  const insideBefore = await readInside(sandbox, signal);
  const hostBefore = await processorMs(sandbox.hostPid);
  const begun = performance.now();
  await delay(windowMs, undefined, { signal });
  const hostAfter = await processorMs(sandbox.hostPid);
  const elapsedMs = performance.now() - begun;
  const insideAfter = await readInside(sandbox, signal);
  return {
    hostShare: (hostAfter - hostBefore) / elapsedMs,
    parts: sharesByPart(insideBefore, insideAfter, elapsedMs, partOf),
  };
}

async function readInside(sandbox: Sandbox, signal: AbortSignal): Promise<string> {
  const options = { signal, timeoutMs: limitMs };
  const { exitCode, stdout, stderr } = await sandbox.exec(["sh", "-c", listTimes], options);
  if (exitCode !== 0) throw new Error(`reading the processor time of processes: ${stderr}`);
  return stdout;
}

/** Shares of one core between two readings, of all parts that had a process at both. */
export function sharesByPart(
  before: string,
  after: string,
  elapsedMs: number,
  partOf: PartOf,
): PartShare[] {
  const earlier = new Map(parseTimes(before).map(({ pid, ownMs }) => [pid, ownMs]));
  const shares = new Map<string, number>();
  for (const { pid, ownMs, argv } of parseTimes(after)) {
    const part = partOf(argv);
    const begin = earlier.get(pid);
    if (part === null || begin === undefined) continue;
    shares.set(part, (shares.get(part) ?? 0) + (ownMs - begin) / elapsedMs);
  }
  return [...shares].map(([part, share]) => ({ part, share }));
}

function parseTimes(text: string): { pid: number; ownMs: number; argv: string[] }[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [stat = "", ...argv] = line.split("\t");
      const { pid, processorMs: ownMs } = parseStat(stat);
      return { pid, ownMs, argv: argv.filter((argument) => argument !== "") };
    });
}
