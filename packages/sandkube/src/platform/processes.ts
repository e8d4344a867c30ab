import { spawn } from "node:child_process";
import { constants } from "node:os";
import * as fs from "node:fs/promises";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** How a process ended: exactly one of the two is set. */
export interface ExitStatus {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
}

/** What a short command did. */
export interface CommandResult extends ExitStatus {
  stdout: string;
  stderr: string;
  /** The command was killed because it took longer than its limit. */
  timedOut: boolean;
}

export interface CommandOptions {
  /** After this many milliseconds the command is killed. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** Replaces the environment; by default the command inherits this process's. */
  environment?: NodeJS.ProcessEnv;
  stdin?: Readable;
}

/** Output beyond this many bytes of each stream is dropped from its front. */
const maxCapturedBytes = 8 * 1024 * 1024;

/**
 * Runs a command to its end and captures its output. A non-zero exit is a result,
 * not an error; rejects when the file can not be started, or with the signal's
 * reason when aborted.
 */
export async function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  options.signal?.throwIfAborted();
  const child = spawn(file, args, {
    stdio: [options.stdin ? "pipe" : "ignore", "pipe", "pipe"],
    ...(options.environment ? { env: options.environment } : {}),
  });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, options.timeoutMs);
  const abort = () => child.kill("SIGKILL");
  options.signal?.addEventListener("abort", abort, { once: true });
  const stdout = capture(child.stdout);
  const stderr = capture(child.stderr);
  if (options.stdin && child.stdin) {
    // A command that ends before it has read everything is judged by its exit, not by the broken pipe.
    pipeline(options.stdin, child.stdin).catch(() => {});
  }
  try {
    const [exitCode, signal] = (await once(child, "close")) as [
      number | null,
      NodeJS.Signals | null,
    ];
    options.signal?.throwIfAborted();
    return { exitCode, signal, stdout: stdout(), stderr: stderr(), timedOut };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", abort);
  }
}

function capture(stream: Readable | null): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream?.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    while (size > maxCapturedBytes && chunks.length > 1) {
      size -= chunks.shift()?.length ?? 0;
    }
  });
  return () => Buffer.concat(chunks).toString("utf8");
}

/** A process that lives on when this one ends. */
export interface DetachedProcess {
  pid: number;
  /** How the process has ended; null while it runs. */
  exitStatus(): ExitStatus | null;
}

/**
 * Starts a program in a session of its own, with no terminal, its output appended to
 * a file. Rejects when it can not be started.
 */
export async function spawnDetached(
  file: string,
  args: readonly string[],
  options: { outputFile: string; workingDirectory: string },
): Promise<DetachedProcess> {
  const output = await fs.open(options.outputFile, "a", 0o600);
  try {
    const child = spawn(file, args, {
      detached: true,
      cwd: options.workingDirectory,
      stdio: ["ignore", output.fd, output.fd],
    });
    let status: ExitStatus | null = null;
    child.once("exit", (exitCode, signal) => {
      status = { exitCode, signal };
    });
    await once(child, "spawn");
    child.unref();
    if (child.pid === undefined) throw new Error(`${file} was started without a process id`);
    return { pid: child.pid, exitStatus: () => status };
  } finally {
    await output.close();
  }
}

/** A child process that uses this process's standard input, output and error. */
export interface AttachedProcess {
  exited: Promise<ExitStatus>;
  /** Sends a signal to the process; without effect after its end. */
  kill(signal: NodeJS.Signals): void;
}

/** Starts a program on this process's own standard streams. Rejects when it can not be started. */
export async function spawnAttached(
  file: string,
  args: readonly string[],
  options: { environment: NodeJS.ProcessEnv },
): Promise<AttachedProcess> {
  const child = spawn(file, args, { stdio: "inherit", env: options.environment });
  const exited = new Promise<ExitStatus>((resolve) => {
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
  });
  await once(child, "spawn");
  return { exited, kill: (signal) => void child.kill(signal) };
}

/** The exit code by which a shell reports an ended process: 128 + N for a signal. */
export function shellExitCode(status: ExitStatus): number {
  if (status.exitCode !== null) return status.exitCode;
  return 128 + (status.signal === null ? 0 : constants.signals[status.signal]);
}
