import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

/** Share of all processors' time that may be used by others when a measurement starts. */
const quietShare = 0.2;
const windowMs = 1_000;
const limitMs = 60_000;

/** Time of all processors since boot, in ticks, from /proc/stat (proc(5)). */
export interface ProcessorTime {
  readonly total: number;
  readonly idle: number;
}

/**
 * Waits until the machine has been quiet for a second, so that no build or test slows a measurement
 * down from its start. Says so and goes on when the machine has not become quiet in a minute.
 */
export async function untilQuiet(
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const before = parseProcessorTime(await readFile("/proc/stat", "utf8"));
    await delay(windowMs, undefined, { signal });
    const after = parseProcessorTime(await readFile("/proc/stat", "utf8"));
    const share = busyShare(before, after);
    if (share <= quietShare) return;
    if (performance.now() < deadline) continue;
    report(`the machine is busy (${Math.round(share * 100)} % of its processors): high figures`);
    return;
  }
}

export function parseProcessorTime(stat: string): ProcessorTime {
  const [label, ...fields] = stat.split("\n", 1)[0]?.split(/\s+/) ?? [];
  if (label !== "cpu") throw new Error("/proc/stat has no line of all processors");
  // Guest time, after the first eight fields, is part of user time already.
  const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, ...interrupts] = fields
    .slice(0, 8)
    .map(Number);
  const busy = [user, nice, system, ...interrupts].reduce((sum, ticks) => sum + ticks, 0);
  return { total: busy + idle + waiting, idle: idle + waiting };
}

/** Share of the processors' time between two readings that was used; 0 to 1. */
export function busyShare(before: ProcessorTime, after: ProcessorTime): number {
  const total = after.total - before.total;
  return total === 0 ? 0 : 1 - (after.idle - before.idle) / total;
}
