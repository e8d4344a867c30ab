import { readdir, readFile, readlink, stat } from "node:fs/promises";

/** A process of this machine, with what it and its ended children used. */
interface HostProcess {
  readonly pid: number;
  readonly parentPid: number;
  readonly processorMs: number;
}

/** Milliseconds of a tick of /proc/PID/stat: Linux counts 100 a second for programs (times(2)). */
const tickMs = 10;
const bytesPerKiB = 1024;
/** gVisor keeps the memory of all processes of a sandbox in files that have no name on disk. */
const memoryFilePrefix = "/memfd:";
/** stat(2) counts blocks of 512 bytes. */
const blockBytes = 512;

/**
 * Processor time that a process of this machine and all its descendants have used so far, in
 * milliseconds. What has ended counts with the process that waited for it.
 */
export async function processorMs(rootPid: number): Promise<number> {
  const tree = descendants(rootPid, await hostProcesses());
  return tree.reduce((sum, process) => sum + process.processorMs, 0);
}

/**
 * Memory that a process of this machine and all its descendants hold, in bytes: the proportional set
 * size, but of memory files (memfd_create(2)) all that is allocated, whether or not a process maps it
 * now.
 */
export async function memoryBytes(rootPid: number): Promise<number> {
  const tree = descendants(rootPid, await hostProcesses());
  const sizes = await Promise.all(tree.map(({ pid }) => setSize(pid)));
  const files = new Map((await Promise.all(tree.map(({ pid }) => memoryFiles(pid)))).flat());
  const inFiles = [...files.values()].reduce((sum, bytes) => sum + bytes, 0);
  const isInFiles = files.size > 0;
  return sizes.reduce(
    (sum, { total, shared }) => sum + (isInFiles ? total - shared : total),
    inFiles,
  );
}

/** Parses /proc/PID/stat (proc(5)). */
export function parseStat(text: string): HostProcess {
  // The name, in parentheses, may hold blanks and parentheses.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [user, system, childrenUser, childrenSystem] = fields.slice(11, 15).map(Number);
  const ticks = (user ?? 0) + (system ?? 0) + (childrenUser ?? 0) + (childrenSystem ?? 0);
  return {
    pid: Number.parseInt(text, 10),
    parentPid: Number(fields[1]),
    processorMs: ticks * tickMs,
  };
}

/** The process with this id and all below it; empty when there is none. */
export function descendants(rootPid: number, processes: readonly HostProcess[]): HostProcess[] {
  const found = processes.filter(({ pid }) => pid === rootPid);
  for (const { pid } of found) {
    found.push(...processes.filter(({ parentPid }) => parentPid === pid));
  }
  return found;
}

async function hostProcesses(): Promise<HostProcess[]> {
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const texts = await Promise.all(
    names.map((pid) => unlessEnded(readFile(`/proc/${pid}/stat`, "utf8"))),
  );
  return texts.flatMap((text) => (text === null ? [] : [parseStat(text)]));
}

async function setSize(pid: number): Promise<{ total: number; shared: number }> {
  const rollup = (await unlessEnded(readFile(`/proc/${pid}/smaps_rollup`, "utf8"))) ?? "";
  const bytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(rollup)?.[1] ?? 0) * bytesPerKiB;
  return { total: bytes("Pss"), shared: bytes("Pss_Shmem") };
}

/** Size, by device and inode, of each memory file that this process has open. */
async function memoryFiles(pid: number): Promise<[id: string, bytes: number][]> {
  const directory = `/proc/${pid}/fd`;
  const files: [string, number][] = [];
  for (const name of (await unlessEnded(readdir(directory))) ?? []) {
    const path = `${directory}/${name}`;
    const target = await unlessEnded(readlink(path));
    if (target === null || !target.startsWith(memoryFilePrefix)) continue;
    const file = await unlessEnded(stat(path));
    if (file !== null) files.push([`${file.dev}:${file.ino}`, file.blocks * blockBytes]);
  }
  return files;
}

/** Null when the process has ended while it was read. */
async function unlessEnded<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "ENOENT" || code === "ESRCH") return null;
    throw error;
  }
}
