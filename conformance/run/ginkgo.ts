import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";
import { tailOf } from "../../lab/src/errors.js";
import type { Sandbox } from "../../lab/src/index.js";
import { SuiteProgress, type EndedSpec } from "./progress.js";

export interface GinkgoRun {
  readonly sandbox: Sandbox;
  /** Ginkgo, or a suite built with it, with `-v` and without colours. */
  readonly argv: readonly string[];
  /** Names of the specs that were asked for. */
  readonly specs: readonly string[];
  /** Path of the log on this machine. */
  readonly log: string;
  readonly signal: AbortSignal;
  /** Told of each spec when it ends. */
  readonly onEnded: (spec: EndedSpec) => void;
}

/** Runs a suite in a sandbox to its end. The exit code says no more than the suite's report does. */
export async function runGinkgo(run: GinkgoRun): Promise<void> {
  const { sandbox, argv, specs, signal, onEnded } = run;
  const child = sandbox.spawn(argv, { signal });
  child.stdin.end();
  const log = createWriteStream(run.log);
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const progress = new SuiteProgress(specs);
  createInterface({ input: child.stdout }).on("line", (line) => {
    const ended = progress.take(line);
    if (ended !== null) onEnded(ended);
  });
  try {
    await child.exited;
  } finally {
    log.end();
    await finished(log);
  }
  signal.throwIfAborted();
}

/** Tells of a spec that has ended, the `count`-th. */
export function reportEnded(
  run: { readonly specs: readonly string[]; readonly report: (line: string) => void },
  { outcome, seconds, name }: EndedSpec,
  count: number,
): void {
  run.report(`${count}/${run.specs.length} ${outcome} in ${seconds.toFixed(1)} s: ${name}`);
}

/** Throws with the end of the suite's log when the suite has ended without a report. */
export async function readReport(directory: string, report: string, log: string): Promise<string> {
  try {
    return await readFile(join(directory, report), "utf8");
  } catch (cause) {
    const end = tailOf(await readFile(join(directory, log), "utf8"));
    throw new Error(`the suite wrote no report; its output ended with\n${end}`, { cause });
  }
}
