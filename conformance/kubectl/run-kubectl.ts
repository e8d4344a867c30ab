import { createWriteStream } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";
import type { ClusterStatus } from "sandkube";
import { bootSandbox, type Sandbox } from "../../lab/src/index.js";
import { keepLogs, requireAlive, succeed } from "../run/sandbox-commands.js";
import type { SpecRun } from "../suites.js";
import { wordsOf } from "./groups.js";
import { CommandLineProgress } from "./progress.js";
import type { CommandLineSuite } from "./sources.js";

/** Where a sandbox of gVisor shows the output directory; in `bare` it stays in place. */
const insideOutput = "/output";
const copyName = "kubernetes";
const logName = "test-cmd.log";
/** That of upstream's API server: tests name addresses in it. */
const serviceRange = "10.0.0.0/24";

/**
 * Boots a sandbox with a control plane, which is what upstream runs these tests on, and runs groups of
 * them. In `output` are then their log, upstream's own report and the cluster's logs.
 */
export async function runKubectlSuite(suite: CommandLineSuite, run: SpecRun): Promise<string[]> {
  const { kind, output, signal, report } = run;
  await cp(suite.directory, join(output, copyName), { recursive: true });
  const extraMounts = [{ source: output, destination: insideOutput, writable: true }];
  await using sandbox = await bootSandbox({
    kind,
    ...(kind === "bare" ? {} : { extraMounts }),
    signal,
    report,
  });
  report("starting a control plane");
  const up = ["up", "--control-plane", "--service-range", serviceRange];
  await succeed(sandbox, ["sandkube", ...up], signal);
  const { directory, kubeconfigPath } = JSON.parse(
    await succeed(sandbox, ["sandkube", "status", "--json"], signal),
  ) as ClusterStatus;
  const areAll = run.specs.length === suite.groups.length;
  const words = areAll ? [] : wordsOf(run.specs);
  try {
    await runInside(sandbox, [kubeconfigPath, ...words], run);
  } finally {
    await requireAlive(sandbox);
    await keepLogs(sandbox, join(directory, "logs"), run);
  }
  return [];
}

async function runInside(sandbox: Sandbox, args: readonly string[], run: SpecRun): Promise<void> {
  const output = sandbox.pathInside(run.output);
  const script = `${sandbox.checkout}/conformance/inside/kubectl-suite.sh`;
  const temporary = join(output, "tmp");
  await succeed(sandbox, ["mkdir", temporary], run.signal);
  // One stream, so that errors are beside the tests that they belong to.
  const merged = ["bash", "-c", 'exec "$@" 2>&1', "test-cmd", script, ...args];
  const child = sandbox.spawn(merged, {
    cwd: join(output, copyName),
    // The scripts ask the terminal for colours.
    env: { KUBE_JUNIT_REPORT_DIR: join(output, "junit"), TMPDIR: temporary, TERM: "ansi" },
    signal: run.signal,
  });
  child.stdin.end();
  const log = createWriteStream(join(run.output, logName));
  child.stdout.pipe(log, { end: false });
  const progress = new CommandLineProgress();
  let count = 0;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const result = progress.take(line, performance.now());
    if (result === null) return;
    count += 1;
    const { outcome, seconds, name } = result;
    run.report(`${count}/${run.specs.length} ${outcome} in ${seconds.toFixed(1)} s: ${name}`);
    run.onResult(result);
  });
  try {
    await child.exited;
  } finally {
    log.end();
    await finished(log);
  }
  run.signal.throwIfAborted();
}
