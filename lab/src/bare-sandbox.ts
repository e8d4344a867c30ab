import { readFileSync, readlinkSync } from "node:fs";
import { chown, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CarriedSandbox, type CarriedSandboxParts } from "./carried-sandbox.js";
import { createCgroups, type SandboxCgroup } from "./cgroups.js";
import { checkoutDirectory, programsDirectory } from "./checkout.js";
import { LabError } from "./errors.js";
import { firstProcess, SandboxCarrier } from "./first-process.js";
import {
  baseEnvironment,
  untilAvailable,
  type EntryCommand,
  type EntryProcess,
} from "./inside-command.js";
import { createNetworkNamespace } from "./network-namespace.js";
import { plainUser } from "./root-filesystem.js";
import { createSandboxDirectory } from "./sandbox-directory.js";
import type { BootOptions, SpawnOptions } from "./sandbox.js";

/** Exit code of {@link inCgroups} when a cgroup cannot be joined. */
const entryFailure = 125;

/** Joins the cgroups given before `--`, then becomes the command after it. */
const inCgroups = `while [ "$1" != -- ]; do
  echo 0 > "$1/cgroup.procs" || exit ${entryFailure}
  shift
done
shift
exec "$@"`;

/**
 * Makes the mounts match the new namespaces: a /sys of this network namespace, and on it every
 * cgroup hierarchy with the sandbox's own cgroup as its root. Arguments: a scratch directory,
 * then mount point, root and member cgroup of each hierarchy, `--`, the command.
 */
const inPrivateMounts = `set -e
scratch=$1
shift
mount --rbind /sys/fs/cgroup "$scratch"
mount -t sysfs sysfs /sys
mount --rbind "$scratch" /sys/fs/cgroup
umount --lazy "$scratch"
while [ "$1" != -- ]; do
  echo 0 > "$3/cgroup.procs"
  mount --bind "$2" "$1"
  shift 3
done
shift
exec "$@"`;

/**
 * No gVisor: this machine's kernel and file system, with network, mount, pid, ipc, uts and cgroup
 * namespaces. Clusters keep their data in the sandbox's directory (SANDKUBE_DATA).
 */
export class BareSandbox extends CarriedSandbox {
  readonly kind = "bare";
  readonly checkout = checkoutDirectory;
  readonly #programs: string | null;
  readonly #cgroups: readonly SandboxCgroup[];
  readonly #firstPid: number;
  readonly #withoutCapabilities: readonly string[];

  private constructor(
    parts: CarriedSandboxParts,
    bare: {
      programs: string | null;
      cgroups: readonly SandboxCgroup[];
      firstPid: number;
      withoutCapabilities: readonly string[];
    },
  ) {
    super(parts);
    this.#programs = bare.programs;
    this.#cgroups = bare.cgroups;
    this.#firstPid = bare.firstPid;
    this.#withoutCapabilities = bare.withoutCapabilities;
  }

  static async boot(name: string, options: BootOptions): Promise<BareSandbox> {
    const { signal, network = "sandbox", withoutCapabilities = [] } = options;
    const programs = await programsDirectory();
    const directory = await createSandboxDirectory(name);
    const link = await createNetworkNamespace(name, network, signal);
    const cgroups = await createCgroups(name);
    for (const part of ["bin", "scratch", "data", "home"]) await mkdir(join(directory, part));
    await chown(join(directory, "home"), plainUser.uid, plainUser.uid);
    const cli = join(checkoutDirectory, "packages/sandkube/dist/cli/main.js");
    const launcher = `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`;
    await writeFile(join(directory, "bin/sandkube"), launcher, { mode: 0o755 });
    const joined = ["sh", "-c", inCgroups, "lab", ...cgroups.map(({ root }) => root), "--"];
    const inNetwork = ["nsenter", `--net=/run/netns/${name}`];
    const namespaces = ["--mount", "--mount-proc", "--pid", "--cgroup", "--uts", "--ipc"];
    const unshared = ["unshare", ...namespaces, "--fork", "--kill-child"];
    const hierarchies = cgroups.flatMap((cgroup) => [
      cgroup.mountPoint,
      cgroup.root,
      cgroup.members,
    ]);
    const scratch = join(directory, "scratch");
    const mounted = ["sh", "-c", inPrivateMounts, "lab", scratch, ...hierarchies, "--"];
    const argv = [...joined, ...inNetwork, ...unshared, ...mounted, ...firstProcess];
    const carrier = await SandboxCarrier.start(argv, directory, signal);
    // The carrier itself was in the root of the cgroups to make that the root of the namespace.
    for (const { members } of cgroups) {
      await writeFile(join(members, "cgroup.procs"), `${carrier.pid}`);
    }
    const [firstPid] = childrenOf(carrier.pid);
    if (firstPid === undefined) throw new LabError("E_LAB_BOOT", "the sandbox ended at once");
    return new BareSandbox(
      { name, link, directory, carrier },
      {
        ...{ programs, cgroups, firstPid, withoutCapabilities },
      },
    );
  }

  override pathInside(path: string): string {
    return path;
  }

  protected override isEntryFailure(exitCode: number): boolean {
    return exitCode === entryFailure;
  }

  protected override enter(argv: readonly string[], options: SpawnOptions): EntryCommand {
    const user = options.user ?? 0;
    const base = baseEnvironment(user, this.#programs);
    const binaries = [join(this.directory, "bin"), base["PATH"], dirname(process.execPath)];
    const env = {
      ...base,
      PATH: binaries.join(":"),
      ...(user === 0
        ? { SANDKUBE_DATA: join(this.directory, "data") }
        : { HOME: join(this.directory, "home") }),
      ...options.env,
    };
    const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const ids = ["--reuid", `${user}`, "--regid", `${user}`, "--clear-groups"];
    const withoutPrivilege = ["setpriv", ...ids, "--inh-caps=-all", "--bounding-set=-all", "--"];
    const members = this.#cgroups.map((cgroup) => cgroup.members);
    const joined = ["sh", "-c", inCgroups, "lab", ...members, "--"];
    const namespaces = ["--net", "--mount", "--pid", "--cgroup", "--uts", "--ipc"];
    const entered = ["nsenter", `--target=${this.#firstPid}`, ...namespaces, "--"];
    const identity = user === 0 ? this.#withLimitedRoot() : withoutPrivilege;
    const started = ["env", "-i", "-C", options.cwd ?? "/", ...assignments, ...argv];
    return {
      argv: [...joined, ...entered, ...identity, ...started],
      kill: (signalNumber, entry) => this.#kill(signalNumber, entry),
      onExit: async () => undefined,
    };
  }

  /** The command by which root gives up what it may not have; empty when that is nothing. */
  #withLimitedRoot(): string[] {
    if (this.#withoutCapabilities.length === 0) return [];
    const dropped = this.#withoutCapabilities.map(
      (name) => `-${name.replace(/^CAP_/, "").toLowerCase()}`,
    );
    return ["setpriv", "--inh-caps=-all", `--bounding-set=${dropped.join(",")}`, "--"];
  }

  async #kill(signalNumber: number, entry: EntryProcess): Promise<void> {
    const namespace = pidNamespaceOf(this.#firstPid);
    const find = (): number | null => firstDescendantIn(namespace, entry.pid);
    const pid = await untilAvailable("the process to start inside", find, entry.hasExited);
    if (pid === null) return;
    try {
      process.kill(pid, signalNumber);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
  }
}

/** nsenter stays outside and waits: the process that was asked for is its child, inside. */
function firstDescendantIn(namespace: string | null, pid: number): number | null {
  if (namespace === null) return null;
  for (const child of childrenOf(pid)) {
    if (pidNamespaceOf(child) === namespace) return child;
    const found = firstDescendantIn(namespace, child);
    if (found !== null) return found;
  }
  return null;
}

function pidNamespaceOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return null;
  }
}

function childrenOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return children.split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
