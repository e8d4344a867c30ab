import type { Readable, Writable } from "node:stream";
import type { CommandResult } from "./host-command.js";
import type { NetworkKind, SandboxLink } from "./network-namespace.js";
import type { Userland } from "./root-filesystem.js";
import type { GvisorKind } from "./runsc-program.js";

/** `bare` is no gVisor at all: this machine's kernel, with namespaces of its own. */
export type SandboxKind = GvisorKind | "bare";

/** Every kind of sandbox the lab can boot. */
export const sandboxKinds: readonly SandboxKind[] = ["g26", "g24", "bare"];

/** A directory of this machine that is seen inside, read-only unless `writable`. */
export interface ExtraMount {
  readonly source: string;
  /** Absolute path inside. In `bare` the directory keeps its own path: see `Sandbox.pathInside`. */
  readonly destination: string;
  readonly writable?: boolean;
}

export interface BootOptions {
  readonly kind: SandboxKind;
  /** gVisor only. `root:self` (its default): the root is an overlay in gVisor; `none`: it is 9p. */
  readonly overlay2?: "root:self" | "none";
  /**
   * gVisor only: what the root file system is on this machine, which shows through a 9p root. On
   * `overlayfs` (default; as under containerd and Docker) the kernel refuses to make a whiteout, so
   * that an overlay in the sandbox cannot delete what lies in its lower layers; on a `directory`,
   * here a copy, it can.
   */
  readonly rootBacking?: "overlayfs" | "directory";
  /** gVisor only: raw sockets, and with them iptables. A user of a sandbox cannot choose this. */
  readonly netRaw?: boolean;
  /** Capabilities, such as CAP_NET_ADMIN, that not even root has inside. */
  readonly withoutCapabilities?: readonly string[];
  readonly network?: NetworkKind;
  /** gVisor only; `bare` has the programs of this machine. */
  readonly userland?: Userland;
  /**
   * gVisor only: whether the checkout, the built programs and the command `sandkube` are there (its
   * default), or nothing of this project, as on the machine of somebody who has just heard of it.
   */
  readonly showsProject?: boolean;
  /** Directory with test images, seen read-only at /images. */
  readonly imagesDirectory?: string;
  readonly extraMounts?: readonly ExtraMount[];
  readonly signal: AbortSignal;
  /** Told, in a line each, what takes long. */
  readonly report?: (line: string) => void;
}

export interface SpawnOptions {
  /** Added to PATH, HOME, TERM, and to SANDKUBE_PROGRAMS if the programs are built. */
  readonly env?: Readonly<Record<string, string>>;
  /** Absolute path inside; default `/`. */
  readonly cwd?: string;
  /** User and group id; default 0. Any other runs without a single capability. */
  readonly user?: number;
  /** Run on a terminal: stdout then carries the terminal's output, stderr included, with CR LF. */
  readonly tty?: boolean;
  /** Kills the process inside when it fires. */
  readonly signal?: AbortSignal;
}

export interface ExecOptions extends SpawnOptions {
  /** Default: end of file at once. */
  readonly stdin?: string | Uint8Array;
  /** Default 60 000. */
  readonly timeoutMs?: number;
}

/** A command that runs in a sandbox. */
export interface SandboxProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the process has ended and its output is complete; 128 + n for signal n. */
  readonly exited: Promise<number>;
  /** Sends a signal to the process inside. No error if it has ended already. */
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** A row of the process table inside. */
export interface ProcessRow {
  readonly pid: number;
  readonly parentPid: number;
  /** State letters of ps(1); begins with Z for a process nobody has reaped. */
  readonly state: string;
  readonly command: string;
}

/** A running sandbox. Disposing it ends every process in it and removes all that it was made of. */
export interface Sandbox extends AsyncDisposable {
  readonly kind: SandboxKind;
  readonly name: string;
  /** Process of this machine that the whole sandbox is made of, with its descendants. */
  readonly hostPid: number;
  /** Null with `network: "none"`. */
  readonly link: SandboxLink | null;
  /** The checkout of this project, as seen inside. */
  readonly checkout: string;
  /** The path inside of a path on this machine that lies under a mount of the sandbox. */
  pathInside(path: string): string;
  /**
   * Runs a command to its end. A non-zero exit code is a result. Throws E_LAB_TIMEOUT (the process
   * is killed; the message has the command and the end of its output), E_LAB_SANDBOX_DIED.
   */
  exec(argv: readonly string[], options?: ExecOptions): Promise<CommandResult>;
  /** Starts a command whose streams and end the caller handles. */
  spawn(argv: readonly string[], options?: SpawnOptions): SandboxProcess;
  /** Runs a command on the caller's own standard streams and terminal. Returns the exit code. */
  attach(argv: readonly string[], options?: SpawnOptions): Promise<number>;
  /** All processes inside but the sandbox's own first process. */
  processes(signal?: AbortSignal): Promise<ProcessRow[]>;
}
