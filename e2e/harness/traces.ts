import type { Sandbox } from "../../lab/src/index.js";

/** What sandkube could leave behind in a sandbox. Each entry is one line, sorted. */
export interface Traces {
  readonly processes: readonly string[];
  /** Mount point, root, file system type and source of each mount. */
  readonly mounts: readonly string[];
  readonly links: readonly string[];
  readonly routes: readonly string[];
  readonly ipForward: string;
  readonly cgroups: readonly string[];
  /** Path of each directory; path, size and time of change of all else. */
  readonly files: readonly string[];
}

const section = "----";

/**
 * Mount ids and cgroup counters change by themselves and are left out. The whole root file system
 * is listed; on the bare kernel it is shared with the machine, and the data directory stands for it.
 */
const lookAround = `
awk '{ for (i = 7; $i != "-"; i++); print $5, $4, $(i + 1), $(i + 2) }' /proc/self/mountinfo
echo ${section}
ip -o link | awk '{ print $2, $3, $5 }'
echo ${section}
ip route
echo ${section}
cat /proc/sys/net/ipv4/ip_forward
echo ${section}
find /sys/fs/cgroup -type d
echo ${section}
find "$1" -xdev -path /proc -prune -o -path /sys -prune -o -type d -print -o -printf '%p %s %t\\n'
`;

/** Everything sandkube could leave behind, as it is now. */
export async function tracesOf(sandbox: Sandbox): Promise<Traces> {
  const scanned = sandbox.kind === "bare" ? "data" : "/";
  const root = scanned === "data" ? await dataParent(sandbox) : scanned;
  const [processes, { exitCode, stdout, stderr }] = [
    await sandbox.processes(),
    await sandbox.exec(["sh", "-c", lookAround, "look-around", root]),
  ];
  if (exitCode !== 0) throw new Error(`looking around the sandbox: ${stderr}`);
  const [mounts, links, routes, ipForward, cgroups, files] = stdout
    .split(`${section}\n`)
    .map((text) =>
      text
        .split("\n")
        .filter((line) => line !== "")
        .toSorted(),
    );
  return {
    processes: processes.map(({ command }) => command).toSorted(),
    mounts: mounts ?? [],
    links: links ?? [],
    routes: routes ?? [],
    ipForward: ipForward?.join() ?? "",
    cgroups: cgroups ?? [],
    files: files ?? [],
  };
}

/** The same without files: what a stopped cluster may not leave, whose data stays. */
export function withoutFiles({ files: _files, ...rest }: Traces): Omit<Traces, "files"> {
  return rest;
}

async function dataParent(sandbox: Sandbox): Promise<string> {
  const { stdout } = await sandbox.exec(["sh", "-c", 'dirname "$SANDKUBE_DATA"']);
  return stdout.trim();
}
