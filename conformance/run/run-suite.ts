import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { createInterface } from "node:readline";
import type { ClusterStatus } from "sandkube";
import { tailOf } from "../../lab/src/errors.js";
import { bootSandbox, type Sandbox, type SandboxKind } from "../../lab/src/index.js";
import type { ConformanceImages } from "../images/conformance-images.js";
import { suiteResult, type SuiteResult } from "../report/spec-results.js";
import type { Suite } from "../suite/suite.js";
import { SuiteProgress } from "./progress.js";

export interface SuiteRun {
  readonly kind: SandboxKind;
  readonly suite: Suite;
  readonly images: ConformanceImages;
  readonly focus: string;
  readonly skip: string | null;
  /** Empty directory of this machine for logs and reports. */
  readonly output: string;
  readonly signal: AbortSignal;
  /** Told, in a line each, what happens. */
  readonly report: (line: string) => void;
}

/** Where a sandbox of gVisor shows the suite and the output directory; in `bare` they stay in place. */
const insidePaths = { suite: "/conformance", output: "/output" } as const;

const suiteLog = "e2e.log";
const jsonReport = "report.json";
const setUpTimeoutMs = 10 * 60_000;
/** Ginkgo ends the suite itself, with a report, before the harness gives up. */
const suiteTimeoutMinutes = 8 * 60;

/**
 * Boots a sandbox with a cluster, runs the suite in it and returns how that went. In `output` are
 * then the suite's log, its reports (JSON and JUnit) and the cluster's logs. Throws when the suite
 * does not come to its end.
 */
export async function runSuite(run: SuiteRun): Promise<SuiteResult> {
  const { kind, suite, images, output, signal, report } = run;
  const extraMounts = [
    { source: suite.directory, destination: insidePaths.suite },
    { source: output, destination: insidePaths.output, writable: true },
  ];
  await using sandbox = await bootSandbox({
    kind,
    imagesDirectory: images.directory,
    ...(kind === "bare" ? {} : { extraMounts }),
    signal,
    report,
  });
  report("starting a cluster");
  await succeed(sandbox, ["sandkube", "up"], signal);
  report(`loading ${images.archives.length} images`);
  const archives = images.archives.map((name) => sandbox.pathInside(join(images.directory, name)));
  await succeed(sandbox, ["sandkube", "image", "load", ...archives], signal);
  for (const [image, alias] of images.aliases) {
    await succeed(sandbox, ["sandkube", "ctr", "images", "tag", image, alias], signal);
  }
  const { kubeconfigPath, directory } = JSON.parse(
    await succeed(sandbox, ["sandkube", "status", "--json"], signal),
  ) as ClusterStatus;
  try {
    await runInside(sandbox, kubeconfigPath, run);
  } finally {
    const logs = join(directory, "logs");
    const copy = ["cp", "-r", logs, join(sandbox.pathInside(output), "cluster-logs")];
    await succeed(sandbox, copy, AbortSignal.timeout(setUpTimeoutMs)).catch((error: unknown) =>
      report(
        `the cluster's logs are lost: ${error instanceof Error ? error.message : String(error)}`,
      ),
    );
  }
  return suiteResult(await readReport(output));
}

async function runInside(sandbox: Sandbox, kubeconfigPath: string, run: SuiteRun): Promise<void> {
  const { suite, focus, skip, output, signal, report } = run;
  const reports = sandbox.pathInside(output);
  const argv = [
    sandbox.pathInside(suite.program),
    `--kubeconfig=${kubeconfigPath}`,
    `--kubectl-path=${sandbox.checkout}/conformance/inside/kubectl`,
    ...["--provider=skeleton", "--node-os-distro=debian"],
    `--report-dir=${reports}`,
    `--ginkgo.json-report=${join(reports, jsonReport)}`,
    `--ginkgo.focus=${focus}`,
    ...(skip === null ? [] : [`--ginkgo.skip=${skip}`]),
    `--ginkgo.timeout=${suiteTimeoutMinutes}m`,
    ...["--ginkgo.v", "--ginkgo.no-color", "--test.timeout=0"],
  ];
  const child = sandbox.spawn(argv, { signal });
  child.stdin.end();
  const log = createWriteStream(join(output, suiteLog));
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const progress = new SuiteProgress();
  let count = 0;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const ended = progress.take(line);
    if (ended === null) return;
    count += 1;
    const { outcome, seconds, name } = ended;
    report(`${count}/${progress.total ?? "?"} ${outcome} in ${seconds.toFixed(1)} s: ${name}`);
  });
  try {
    // The exit code says no more than the report does.
    await child.exited;
  } finally {
    log.end();
    await finished(log);
  }
  signal.throwIfAborted();
}

/** Throws with the end of the suite's log when the suite has ended without a report. */
async function readReport(output: string): Promise<string> {
  try {
    return await readFile(join(output, jsonReport), "utf8");
  } catch (cause) {
    const log = await readFile(join(output, suiteLog), "utf8");
    throw new Error(`the suite wrote no report; its output ended with\n${tailOf(log)}`, { cause });
  }
}

/** Runs a command that has to succeed and returns its standard output. */
async function succeed(
  sandbox: Sandbox,
  argv: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const options = { signal, timeoutMs: setUpTimeoutMs };
  const { exitCode, stdout, stderr } = await sandbox.exec(argv, options);
  if (exitCode === 0) return stdout;
  throw new Error(`${argv.join(" ")}: exit code ${exitCode}\n${stdout.slice(-4_000)}${stderr}`);
}
