import { readFileSync } from "node:fs";

/**
 * When a process started, in clock ticks since boot (field 22 of /proc/PID/stat, here in base 36),
 * or null if there is no such process. Together with the process id it names one process for good.
 */
export function startTicks(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the program's name, may itself contain spaces and parentheses.
    const fieldsFromThird = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = fieldsFromThird[19];
    return ticks === undefined ? null : Number(ticks).toString(36);
  } catch {
    return null;
  }
}

/** A name for this process that no later process can have: "<pid>-<start ticks>". */
export function ownTag(): string {
  return `${process.pid}-${startTicks(process.pid) ?? "0"}`;
}

/** Whether the process that a tag of {@link ownTag} names is still running. */
export function isTagAlive(tag: string): boolean {
  const [pid, ticks] = tag.split("-");
  return ticks !== undefined && startTicks(Number(pid)) === ticks;
}
