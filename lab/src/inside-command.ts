import { spawn, type ChildProcess } from "node:child_process";
import { constants } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { Readable, Writable } from "node:stream";
import { LabError } from "./errors.js";
import { exitCodeOf } from "./host-command.js";
import { plainUser } from "./root-filesystem.js";
import type { SandboxProcess, SpawnOptions } from "./sandbox.js";

/** How long a background child that kept the output open may delay the end of its parent. */
const outputGraceMs = 2_000;

/** The process on this machine that {@link EntryCommand.argv} became. */
export interface EntryProcess {
  readonly pid: number;
  readonly hasExited: () => boolean;
}

/** A command of this machine that runs another command inside a sandbox. */
export interface EntryCommand {
  readonly argv: readonly string[];
  /** Delivers a signal to the process inside; no error if it has ended. */
  readonly kill: (signalNumber: number, entry: EntryProcess) => Promise<void>;
  /** Called once, when the command has ended; may throw a better reason than its exit code. */
  readonly onExit: (exitCode: number) => Promise<void>;
}

/** The environment of a command inside, before what the caller adds. */
export function baseEnvironment(user: number, programs: string | null): Record<string, string> {
  const homes: Readonly<Record<number, string>> = { 0: "/root", [plainUser.uid]: plainUser.home };
  return {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: homes[user] ?? "/",
    TERM: process.env["TERM"] ?? "xterm",
    ...(programs === null ? {} : { SANDKUBE_PROGRAMS: programs }),
  };
}

/**
 * Starts a command inside. Its standard streams are pipes, as in a real sandbox: Node gives its
 * children sockets, on which opening /dev/stderr fails. With `tty` they are a pseudo-terminal.
 */
export function spawnInside(entry: EntryCommand, options: SpawnOptions): SandboxProcess {
  const sized = `stty rows 24 cols 80; exec ${shellQuoted(entry.argv)}`;
  const onTerminal = ["script", "-qefc", sized, "/dev/null"];
  const onPipes = `exec "$@" < <(cat 2>/dev/null) > >(cat) 2> >(cat >&2)`;
  const [program = "", ...args] = options.tty
    ? onTerminal
    : ["bash", "-c", onPipes, "lab", ...entry.argv];
  const env = options.tty ? { ...process.env, SHELL: "/bin/sh" } : process.env;
  const child = spawn(program, args, { stdio: "pipe", env, detached: true });
  const { stdin, stdout, stderr }: { stdin: Writable; stdout: Readable; stderr: Readable } = child;
  const kill = (signal: NodeJS.Signals): Promise<void> => killInside(entry, child, signal);
  const onAbort = (): void => void kill("SIGKILL").catch(() => child.kill("SIGKILL"));
  if (options.signal?.aborted) onAbort();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  const exited = exitOf(child, entry).finally(() => {
    options.signal?.removeEventListener("abort", onAbort);
  });
  // Whoever only streams the output need not look at the end.
  exited.catch(() => undefined);
  return { stdin, stdout, stderr, exited, kill };
}

/**
 * Runs a command inside on the standard streams of this process, and returns its exit code. Only a
 * terminal is handed on as it is: a file would be shared with gVisor, offset and all.
 */
export async function attachInside(entry: EntryCommand, options: SpawnOptions): Promise<number> {
  if (!options.tty) return await relayStreams(spawnInside(entry, options));
  const [program = "", ...args] = entry.argv;
  const child = spawn(program, args, { stdio: "inherit" });
  const onAbort = (): void =>
    void killInside(entry, child, "SIGKILL").catch(() => child.kill("SIGKILL"));
  options.signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await exitOf(child, entry);
  } finally {
    options.signal?.removeEventListener("abort", onAbort);
  }
}

async function relayStreams(child: SandboxProcess): Promise<number> {
  child.stdin.on("error", () => {});
  process.stdin.pipe(child.stdin);
  child.stdout.pipe(process.stdout);
  child.stderr.pipe(process.stderr);
  try {
    return await child.exited;
  } finally {
    process.stdin.destroy();
  }
}

function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function killInside(entry: EntryCommand, child: ChildProcess, signal: NodeJS.Signals) {
  if (hasExited(child)) return;
  const process = { pid: child.pid ?? 0, hasExited: () => hasExited(child) };
  await entry.kill(constants.signals[signal], process);
}

async function exitOf(child: ChildProcess, entry: EntryCommand): Promise<number> {
  const exitCode = await endOf(child);
  await entry.onExit(exitCode);
  return exitCode;
}

function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on("error", (cause) => {
      reject(new LabError("E_LAB_HOST_COMMAND", `cannot start ${child.spawnfile}`, { cause }));
    });
    child.on("close", (code, signal) => resolve(exitCodeOf(code, signal)));
    child.on("exit", (code, signal) => {
      const closeStreams = (): void => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        resolve(exitCodeOf(code, signal));
      };
      child.stdin?.destroy();
      setTimeout(closeStreams, outputGraceMs).unref();
    });
  });
}

/** Polls for a value until it is there or the command has ended. Null: it has ended. */
export async function untilAvailable<T>(
  what: string,
  read: () => T | null,
  ended: () => boolean,
): Promise<T | null> {
  const limitMs = 10_000;
  const deadline = Date.now() + limitMs;
  while (Date.now() < deadline) {
    const value = read();
    if (value !== null) return value;
    if (ended()) return null;
    await delay(20);
  }
  throw new LabError("E_LAB_TIMEOUT", `waited ${limitMs} ms for ${what}`);
}

function shellQuoted(argv: readonly string[]): string {
  return argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}
