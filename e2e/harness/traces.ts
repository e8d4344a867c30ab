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
 * Mount ids change by themselves and are left out. Argument: the directory whose content is listed,
 * without other file systems.
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
test -d "$1" || exit 0
find "$1" -mindepth 1 -xdev -path /proc -prune -o -path /sys -prune -o -type d -print -o -printf '%p %s %t\\n'
`;

/**
 * Everything sandkube could leave behind, as it is now. On the bare kernel the root file system is
 * the machine's own, with much that changes: the data directory stands for it.
 */
export async function tracesOf(sandbox: Sandbox): Promise<Traces> {
  const isBare = sandbox.kind === "bare";
  const root = isBare ? await dataDirectory(sandbox) : "/";
  const processes = await sandbox.processes();
  const look = ["sh", "-c", lookAround, "look-around", root];
  const { exitCode, stdout, stderr } = await sandbox.exec(look);
  if (exitCode !== 0) throw new Error(`looking around the sandbox: ${stderr}`);
  const [mounts = [], links = [], routes = [], ipForward = [], cgroups = [], files = []] = stdout
    .split(`${section}\n`)
    .map((text) => text.split("\n").filter((line) => line !== ""));
  return {
    processes: processes.map(({ command }) => command).toSorted(),
    mounts: mounts.filter((mount) => !isBare || !isOfAnotherSandbox(mount)).toSorted(),
    links: links.toSorted(),
    routes: routes.toSorted(),
    ipForward: ipForward.join(),
    cgroups: cgroups.toSorted(),
    files: files.toSorted(),
  };
}

/** The lab's sandboxes on the bare kernel see each other's network namespaces come and go. */
function isOfAnotherSandbox(mount: string): boolean {
  return mount.startsWith("/run/netns/sandkube-lab-");
}

/** The same without files: what a stopped cluster may not leave, whose data stays. */
export function withoutFiles({ files: _files, ...rest }: Traces): Omit<Traces, "files"> {
  return rest;
}

async function dataDirectory(sandbox: Sandbox): Promise<string> {
  const { stdout } = await sandbox.exec(["sh", "-c", 'echo "$SANDKUBE_DATA"']);
  return stdout.trim();
}
