import type { Sandbox } from "../../lab/src/index.js";

const limitMs = 60_000;
const mountsEnd = "== own mounts";

/** Mounts as the node sees them, and as a process outside it does. */
const listMounts = `cat "/proc/$1/mountinfo" && echo '${mountsEnd}' && cat /proc/self/mountinfo`;

/** What each of the mount points after the process id holds, entered by its mount namespace. */
const listUse = `node=$1
shift
exec nsenter "--mount=/proc/$node/ns/mnt" -- du --summarize --one-file-system --block-size=1 -- "$@"`;

/**
 * Bytes held by the tmpfs mounts of the node's own mount namespace: snapshots where they are kept in
 * memory, and volumes such as Secrets. `nodePid` is any process of that namespace.
 */
export async function readTmpfsBytes(
  sandbox: Sandbox,
  nodePid: number,
  signal: AbortSignal,
): Promise<number> {
  const mounts = await output(sandbox, ["sh", "-c", listMounts, "bench", `${nodePid}`], signal);
  const [inside = "", outside = ""] = mounts.split(`${mountsEnd}\n`);
  const points = tmpfsOnlyIn(inside, outside);
  if (points.length === 0) return 0;
  const argv = ["sh", "-c", listUse, "bench", `${nodePid}`, ...points];
  return sumOfSizes(await output(sandbox, argv, signal));
}

/** Mount points of tmpfs file systems that are in the first mountinfo but not in the second. */
export function tmpfsOnlyIn(inside: string, outside: string): string[] {
  const known = new Set(tmpfsMounts(outside).map(({ device }) => device));
  const points = new Map<string, string>();
  for (const { device, point } of tmpfsMounts(inside)) {
    // A file system that is mounted in several places counts once.
    if (!known.has(device) && !points.has(device)) points.set(device, point);
  }
  return [...points.values()];
}

function tmpfsMounts(mountinfo: string): { device: string; point: string }[] {
  return mountinfo.split("\n").flatMap((line) => {
    const [, , device = "", root, point = ""] = line.split(" ");
    const [type] = line.split(" - ")[1]?.split(" ") ?? [];
    return type === "tmpfs" && root === "/" ? [{ device, point: unescaped(point) }] : [];
  });
}

/** mountinfo writes blanks and backslashes as octal numbers (proc(5)). */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

function sumOfSizes(text: string): number {
  const sizes = text
    .trim()
    .split("\n")
    .map((line) => Number(line.split("\t")[0]));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function output(
  sandbox: Sandbox,
  argv: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const { exitCode, stdout, stderr } = await sandbox.exec(argv, { signal, timeoutMs: limitMs });
  if (exitCode !== 0) throw new Error(`reading the node's tmpfs mounts: ${stderr}`);
  return stdout;
}
