import { spawn } from "node:child_process";
import { constants } from "node:os";
import { LabError, tailOf } from "./errors.js";

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface HostCommandOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A shell reports the end by signal number n as exit code 128 + n. */
const signalExitBase = 128;

/** One number for the end of a process, as a shell would report it. */
export function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? signalExitBase + (signal === null ? 0 : constants.signals[signal]);
}

/**
 * A command line under which the command is killed when this process dies, so that a killed harness
 * leaves no build and no sandbox running.
 */
export function diesWithHarness(argv: readonly string[]): string[] {
  return ["setpriv", "--pdeathsig", "KILL", "--", ...argv];
}

/**
 * Runs a program of this machine to its end, without a shell and with no standard input.
 * Throws E_LAB_TIMEOUT when `timeoutMs` is over (the program is killed) and E_LAB_HOST_COMMAND when
 * it cannot be started; a non-zero exit code is a result, not an error.
 */
export async function runOnHost(
  argv: readonly string[],
  options: HostCommandOptions,
): Promise<CommandResult> {
  options.signal.throwIfAborted();
  const [program, ...args] = argv;
  if (program === undefined) throw new LabError("E_LAB_USAGE", "empty command line");
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, options.timeoutMs);
  const onAbort = (): void => void child.kill("SIGKILL");
  options.signal.addEventListener("abort", onAbort, { once: true });
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => resolve(exitCodeOf(code, signal)));
    }).catch((cause: unknown) => {
      throw new LabError("E_LAB_HOST_COMMAND", `cannot start ${program}`, { cause });
    });
    options.signal.throwIfAborted();
    const result = {
      exitCode,
      stdout: Buffer.concat(stdout).toString(),
      stderr: Buffer.concat(stderr).toString(),
    };
    if (timedOut) {
      const output = tailOf(result.stdout + result.stderr);
      throw new LabError(
        "E_LAB_TIMEOUT",
        `${argv.join(" ")}: not done in ${options.timeoutMs} ms\n${output}`,
      );
    }
    return result;
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener("abort", onAbort);
  }
}

/** Like {@link runOnHost}, but a non-zero exit code throws E_LAB_HOST_COMMAND. Returns stdout. */
export async function requireOnHost(
  argv: readonly string[],
  options: HostCommandOptions,
): Promise<string> {
  const result = await runOnHost(argv, options);
  if (result.exitCode !== 0) {
    throw new LabError(
      "E_LAB_HOST_COMMAND",
      `${argv.join(" ")}: exit code ${result.exitCode}\n${tailOf(result.stdout + result.stderr)}`,
    );
  }
  return result.stdout;
}
