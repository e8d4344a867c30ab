import { insidePaths } from "./root-filesystem.js";
import { firstProcess } from "./first-process.js";
import type { BootOptions, SpawnOptions } from "./sandbox.js";

/** gVisor's list for containers that run containers, without net_raw (docker-in-gvisor.md). */
const nestedCapabilities = [
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_ADMIN",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_ADMIN",
  "SYS_CHROOT",
  "SYS_PTRACE",
].map((name) => `CAP_${name}`);

const openFiles = 1_048_576;

/** A directory of this machine and its place inside. */
export interface BundleMount {
  readonly source: string;
  readonly destination: string;
  readonly writable: boolean;
}

function readOnly(source: string, destination: string): BundleMount {
  return { source, destination, writable: false };
}

/** What the sandbox shows of this machine. */
export function bundleMounts(
  options: BootOptions,
  checkout: string,
  programs: string | null,
): BundleMount[] {
  const project = [
    readOnly(checkout, insidePaths.checkout),
    ...(programs === null ? [] : [readOnly(programs, insidePaths.programs)]),
  ];
  return [
    ...(options.showsProject === false ? [] : project),
    ...(options.imagesDirectory === undefined
      ? []
      : [readOnly(options.imagesDirectory, insidePaths.images)]),
    ...(options.extraMounts ?? []).map(({ source, destination, writable = false }) => ({
      source,
      destination,
      writable,
    })),
  ];
}

/** What of the capabilities of root the operator has chosen. */
export interface RootCapabilities {
  readonly netRaw: boolean;
  /** Names, such as CAP_NET_ADMIN, that not even root has. */
  readonly withoutCapabilities: readonly string[];
}

/** Capabilities of a process, as `process.capabilities` of the OCI runtime specification. */
function capabilitySets(user: number, root: RootCapabilities): object {
  const all = [...nestedCapabilities, ...(root.netRaw ? ["CAP_NET_RAW"] : [])];
  const held = user === 0 ? all.filter((name) => !root.withoutCapabilities.includes(name)) : [];
  return { bounding: held, effective: held, permitted: held, inheritable: [], ambient: [] };
}

/** A `process` object of the OCI runtime specification, for the config and for `runsc exec`. */
export function ociProcess(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  options: Pick<SpawnOptions, "cwd" | "user" | "tty">,
  root: RootCapabilities,
): object {
  const user = options.user ?? 0;
  return {
    terminal: options.tty ?? false,
    user: { uid: user, gid: user },
    args: argv,
    env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    cwd: options.cwd ?? "/",
    capabilities: capabilitySets(user, root),
    rlimits: [{ type: "RLIMIT_NOFILE", hard: openFiles, soft: openFiles }],
  };
}

function systemMount(destination: string, type: string, options: readonly string[]): object {
  return { destination, type, source: type, options };
}

/** The config.json of the OCI bundle; `network` is the path of a prepared network namespace. */
export function ociConfig(options: {
  readonly rootPath: string;
  readonly network: string;
  readonly capabilities: RootCapabilities;
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly BundleMount[];
}): object {
  return {
    ociVersion: "1.1.0",
    hostname: "sandbox",
    root: { path: options.rootPath, readonly: false },
    process: ociProcess(firstProcess, options.env, {}, options.capabilities),
    mounts: [
      systemMount("/proc", "proc", ["nosuid", "noexec", "nodev"]),
      systemMount("/dev", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
      systemMount("/dev/pts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666"]),
      systemMount("/dev/shm", "tmpfs", ["nosuid", "noexec", "nodev", "mode=1777"]),
      systemMount("/sys", "sysfs", ["nosuid", "noexec", "nodev", "ro"]),
      ...options.mounts.map(({ source, destination, writable }) => ({
        destination,
        type: "bind",
        source,
        options: ["rbind", writable ? "rw" : "ro"],
      })),
    ],
    linux: {
      namespaces: [
        { type: "pid" },
        { type: "network", path: options.network },
        { type: "ipc" },
        { type: "uts" },
        { type: "mount" },
      ],
    },
  };
}
