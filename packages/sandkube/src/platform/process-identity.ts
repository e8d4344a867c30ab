import * as fs from "node:fs/promises";

/**
 * Identifies one process beyond the life of its PID: a PID is given to another
 * process after the first has ended, the pair is not.
 */
export interface ProcessIdentity {
  pid: number;
  /** Clock ticks between boot and the process's start: field 22 of /proc/PID/stat. */
  startTicks: number;
}

/** What /proc tells about a live process. */
export interface ProcessDescription extends ProcessIdentity {
  parentPid: number;
  /** One letter, as in proc(5): `R`, `S`, `Z` for a zombie, ... */
  state: string;
  commandLine: string[];
}

/** The identity of a process; null when there is none with that PID, or it is a zombie. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | null> {
  const stat = await readStat(pid);
  if (stat === null || stat.state === "Z" || stat.state === "X") return null;
  return { pid, startTicks: stat.startTicks };
}

/** The identity of this process. */
export async function identifySelf(): Promise<ProcessIdentity> {
  const identity = await identifyProcess(process.pid);
  if (identity === null) {
    throw new Error(`/proc/${process.pid}/stat can not be read: is /proc mounted?`);
  }
  return identity;
}

/** Whether the very process that was identified still runs. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  const now = await identifyProcess(identity.pid);
  return now !== null && now.startTicks === identity.startTicks;
}

/**
 * Sends a signal to a process after checking that it is the one that was identified.
 * Says whether the signal was sent.
 */
export async function signalProcess(
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
): Promise<boolean> {
  if (!(await isRunning(identity))) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Every process that /proc shows, zombies left out. */
export async function listProcesses(): Promise<ProcessDescription[]> {
  const names = await fs.readdir("/proc");
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map(describeProcess));
  return found.filter((entry) => entry !== null);
}

async function describeProcess(pid: number): Promise<ProcessDescription | null> {
  const stat = await readStat(pid);
  if (stat === null || stat.state === "Z" || stat.state === "X") return null;
  try {
    const commandLine = (await fs.readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");
    commandLine.pop();
    return { pid, ...stat, commandLine };
  } catch {
    return null;
  }
}

interface Stat {
  state: string;
  parentPid: number;
  startTicks: number;
}

async function readStat(pid: number): Promise<Stat | null> {
  let text;
  try {
    text = await fs.readFile(`/proc/${pid}/stat`, "utf8");
  } catch {
    return null;
  }
  return parseStat(text);
}

/** Reads the fields of /proc/PID/stat, whose second, the command's name, may hold blanks and parentheses. */
export function parseStat(text: string): Stat | null {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  // fields[0] is field 3 of proc_pid_stat(5), so field N is fields[N - 3].
  const state = fields[0];
  const parentPid = Number(fields[4 - 3]);
  const startTicks = Number(fields[22 - 3]);
  if (state === undefined || !Number.isInteger(parentPid) || !Number.isInteger(startTicks)) {
    return null;
  }
  return { state, parentPid, startTicks };
}
