import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ExitStatus } from "./processes.js";

/** How long an interrupted command may take to clean up before it is killed. */
const cleanUpMs = 30_000;

/** Lines of standard error that are kept, the last ones. */
const maxErrorLines = 20;

export interface LineCommandOptions {
  /** After this many milliseconds the command is interrupted. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  environment?: NodeJS.ProcessEnv;
  /** What the command reads: nothing, this process's own standard input, or a stream. */
  stdin?: "inherit" | Readable | undefined;
  /** A descriptor of this process that the command gets as its descriptor 3. */
  extraOutput?: number | undefined;
  /** Receives each line of standard output. */
  onLine: (line: string) => void;
}

export interface LineCommandResult extends ExitStatus {
  /** The last lines of standard error. */
  errorLines: string[];
  /** The command was interrupted because it took longer than its limit. */
  timedOut: boolean;
}

/**
 * Runs a command that tells what it does line by line. Aborted or out of time, it is
 * sent SIGTERM, so that it can clean up. Rejects when the file can not be started, or
 * with the signal's reason when aborted.
 */
export async function runLineCommand(
  file: string,
  args: readonly string[],
  options: LineCommandOptions,
): Promise<LineCommandResult> {
  options.signal?.throwIfAborted();
  const input = options.stdin === undefined ? "ignore" : "pipe";
  const child = spawn(file, args, {
    stdio: [
      options.stdin === "inherit" ? "inherit" : input,
      "pipe",
      "pipe",
      ...(options.extraOutput === undefined ? [] : [options.extraOutput]),
    ],
    ...(options.environment ? { env: options.environment } : {}),
  });
  let timedOut = false;
  let killTimer: NodeJS.Timeout | undefined;
  const interrupt = () => {
    child.kill("SIGTERM");
    killTimer ??= setTimeout(() => child.kill("SIGKILL"), cleanUpMs);
  };
  const timer = setTimeout(() => {
    timedOut = true;
    interrupt();
  }, options.timeoutMs);
  options.signal?.addEventListener("abort", interrupt, { once: true });
  const errorLines: string[] = [];
  if (child.stderr) {
    createInterface(child.stderr).on("line", (line) => {
      errorLines.push(line);
      if (errorLines.length > maxErrorLines) errorLines.shift();
    });
  }
  if (child.stdout) createInterface(child.stdout).on("line", options.onLine);
  if (child.stdin && options.stdin instanceof Object) {
    // A command that ends before it has read everything is judged by its exit, not by the broken pipe.
    pipeline(options.stdin, child.stdin).catch(() => {});
  }
  try {
    const [exitCode, signal] = (await once(child, "close")) as [
      number | null,
      NodeJS.Signals | null,
    ];
    options.signal?.throwIfAborted();
    return { exitCode, signal, errorLines, timedOut };
  } finally {
    clearTimeout(timer);
    clearTimeout(killTimer);
    options.signal?.removeEventListener("abort", interrupt);
  }
}
