import type { Readable } from "node:stream";
import type { Sandbox } from "../lab/src/index.js";

/** A line of output and when it came, in milliseconds since the command's start. */
export interface TimedLine {
  readonly stream: "stdout" | "stderr";
  readonly atMs: number;
  readonly text: string;
}

export interface TimedRun {
  readonly exitCode: number;
  /** From the command's start inside to its end. */
  readonly durationMs: number;
  readonly lines: readonly TimedLine[];
}

export interface TimedCommandOptions {
  readonly signal: AbortSignal;
  readonly limitMs: number;
  readonly env?: Readonly<Record<string, string>>;
}

const beginMark = "bench: begin";
const endMark = "bench: end ";

/**
 * Says on standard error when the command begins and ends: the way into a sandbox takes time of its
 * own, which is no part of the figure.
 */
const marked = `echo '${beginMark}' >&2
"$@"
echo "${endMark}$?" >&2`;

/** Runs a command inside and times it and its output. Throws when it does not end in time. */
export async function runTimed(
  sandbox: Sandbox,
  argv: readonly string[],
  options: TimedCommandOptions,
): Promise<TimedRun> {
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.limitMs)]);
  const child = sandbox.spawn(["sh", "-c", marked, "bench", ...argv], {
    signal,
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  child.stdin.end();
  const received: TimedLine[] = [];
  collectLines("stdout", child.stdout, received);
  collectLines("stderr", child.stderr, received);
  await child.exited;
  options.signal.throwIfAborted();
  return betweenMarks(argv, received);
}

/** The streams of a command may stay open after its end, in the hands of what it left running. */
function collectLines(stream: TimedLine["stream"], source: Readable, lines: TimedLine[]): void {
  let rest = "";
  source.setEncoding("utf8").on("data", (chunk: string) => {
    const atMs = performance.now();
    const texts = (rest + chunk).split("\n");
    rest = texts.pop() ?? "";
    for (const text of texts) lines.push({ stream, atMs, text });
  });
}

/** Runs a command that has to succeed. Throws with the end of its output when it does not. */
export async function requireTimed(
  sandbox: Sandbox,
  argv: readonly string[],
  options: TimedCommandOptions,
): Promise<TimedRun> {
  const run = await runTimed(sandbox, argv, options);
  if (run.exitCode !== 0) throw failure(argv, `exit code ${run.exitCode}`, run.lines);
  return run;
}

/** What lies between the marks, with times counted from the first. */
export function betweenMarks(argv: readonly string[], received: readonly TimedLine[]): TimedRun {
  const begin = received.find(({ text }) => text === beginMark);
  const end = received.find(({ text }) => text.startsWith(endMark));
  if (begin === undefined || end === undefined) {
    throw failure(argv, "not at its end in time", received);
  }
  const lines = received.filter((line) => line !== begin && line !== end);
  return {
    exitCode: Number(end.text.slice(endMark.length)),
    durationMs: end.atMs - begin.atMs,
    lines: lines.map((line) => ({ ...line, atMs: line.atMs - begin.atMs })),
  };
}

function failure(argv: readonly string[], what: string, lines: readonly TimedLine[]): Error {
  const tail = lines.slice(-20).map(({ text }) => `  | ${text}`);
  return new Error([`${argv.join(" ")}: ${what}`, ...tail].join("\n"));
}
