import { LabError, tailOf } from "./errors.js";
import type { CommandResult } from "./host-command.js";
import type { ExecOptions, ProcessRow, SandboxProcess } from "./sandbox.js";

const defaultTimeoutMs = 60_000;
/** How long a killed process gets to close its streams before it is given up. */
const killGraceMs = 10_000;

/**
 * Feeds a process its input and gathers its output until it ends.
 * Throws E_LAB_TIMEOUT, naming `argv` and showing the end of the output.
 */
export async function collectOutput(
  argv: readonly string[],
  child: SandboxProcess,
  options: ExecOptions,
): Promise<CommandResult> {
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // A command may end without reading its input.
  child.stdin.on("error", () => {});
  child.stdin.end(options.stdin);
  let timer: NodeJS.Timeout | undefined;
  const timedOut = new Promise<"timed out">((resolve) => {
    timer = setTimeout(() => resolve("timed out"), timeoutMs);
  });
  try {
    const outcome = await Promise.race([child.exited, timedOut]);
    options.signal?.throwIfAborted();
    if (outcome !== "timed out") {
      return {
        exitCode: outcome,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      };
    }
  } finally {
    clearTimeout(timer);
  }
  await killAndWait(child);
  const output = tailOf(Buffer.concat([...stdout, ...stderr]).toString());
  throw new LabError(
    "E_LAB_TIMEOUT",
    `${argv.join(" ")}: not done in ${timeoutMs} ms; its output ended with\n${output}`,
  );
}

async function killAndWait(child: SandboxProcess): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const givenUp = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, killGraceMs);
  });
  const ended = child.kill("SIGKILL").then(() => child.exited);
  await Promise.race([ended.catch(() => undefined), givenUp]);
  clearTimeout(timer);
}

/** The command that lists processes; its own row is left out by {@link parseProcesses}. */
export const listProcesses: readonly string[] = ["ps", "-ewwo", "pid=,ppid=,stat=,args="];

/** Reads the output of {@link listProcesses}. */
export function parseProcesses(output: string): ProcessRow[] {
  return output.split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line);
    if (match === null) return [];
    const [, pid = "", parentPid = "", state = "", command = ""] = match;
    if (command === listProcesses.join(" ") || pid === "1") return [];
    return [{ pid: Number(pid), parentPid: Number(parentPid), state, command }];
  });
}
