import type { ResultLine } from "./json-lines.js";
import type { JsonFlag } from "./options.js";
import { printError } from "./error-printer.js";
import { interruptible } from "./interrupt.js";

/**
 * Does a command's work under a signal that Ctrl-C aborts. A failure is printed; the
 * process ends with its exit code, or with the one that the work gives. The notice is
 * shown at Ctrl-C, for work that takes a while to end.
 */
export async function perform(
  flags: JsonFlag,
  work: (signal: AbortSignal) => Promise<number | void>,
  interruptNotice?: string,
): Promise<void> {
  try {
    const exitCode = await interruptible(work, () => {
      if (interruptNotice !== undefined) process.stderr.write(`\n${interruptNotice}\n`);
    });
    process.exitCode = exitCode ?? 0;
  } catch (error) {
    process.exitCode = await printError(error, { json: flags.json ?? false });
  }
}

/** Writes a value as JSON on standard output. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Writes what came of a command as one line of JSON on standard output, after those of its events. */
export function printResultLine(line: ResultLine): void {
  printLines([JSON.stringify(line)]);
}

/** Writes lines on standard output. */
export function printLines(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(""));
}
