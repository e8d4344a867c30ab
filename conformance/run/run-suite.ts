import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { createInterface } from "node:readline";
import type { ClusterStatus } from "sandkube";
import { tailOf } from "../../lab/src/errors.js";
import { bootSandbox, type Sandbox, type SandboxKind } from "../../lab/src/index.js";
import type { ConformanceImages } from "../images/conformance-images.js";
import { resultOf, specResults, type SpecResult } from "../report/spec-results.js";
import type { Suite } from "../suite/suite.js";
import { startImageRegistry } from "./image-registry.js";
import { leftovers, podParts } from "./leftovers.js";
import { SuiteProgress } from "./progress.js";
import { grown, memoryLines, roleMemory } from "./role-memory.js";
import { focusOn } from "./selection.js";
import { UsedImages } from "./used-images.js";

export interface SuiteRun {
  readonly kind: SandboxKind;
  readonly suite: Suite;
  readonly images: ConformanceImages;
  /** Names of the specs to run. */
  readonly specs: readonly string[];
  /** How many nodes the cluster has. */
  readonly nodes: number;
  /** How many specs run at a time. */
  readonly parallel: number;
  /** Empty directory of this machine for logs and reports. */
  readonly output: string;
  readonly signal: AbortSignal;
  /** Told, in a line each, what happens. */
  readonly report: (line: string) => void;
  /** Given the result of each spec when it ends, and again, with more of the reason, at the end. */
  readonly onResult: (result: SpecResult) => void;
}

/** Where a sandbox of gVisor shows the suite and the output directory; in `bare` they stay in place. */
const insidePaths = { suite: "/conformance", output: "/output" } as const;

const suiteLog = "e2e.log";
const jsonReport = "report.json";
const setUpTimeoutMs = 10 * 60_000;
/** Ginkgo ends the suite itself, with a report, before the harness gives up. */
const suiteTimeoutHours = 8;

/**
 * Boots a sandbox with a cluster and runs specs in it. In `output` are then the suite's log, its
 * report and the cluster's logs. Throws when the suite does not come to its end; the results until
 * then have been told. When the sandbox died, the error says so. Returns what the specs have left behind on
 * the node, memory of the cluster's parts included, a line each.
 */
export async function runSuite(run: SuiteRun): Promise<string[]> {
  const { kind, nodes, suite, images, output, signal, report } = run;
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
  const registries = await startImageRegistry(sandbox, images, signal);
  const up = ["up", "--nodes", `${nodes}`, "--registries-config", registries];
  await succeed(sandbox, ["sandkube", ...up], signal);
  report(`loading ${images.archives.length} images`);
  const archives = images.archives.map((name) => sandbox.pathInside(join(images.directory, name)));
  await succeed(sandbox, ["sandkube", "image", "load", ...archives], signal);
  for (const [image, alias] of images.aliases) {
    await succeed(sandbox, ["sandkube", "image", "tag", image, alias], signal);
  }
  const { kubeconfigPath, directory } = JSON.parse(
    await succeed(sandbox, ["sandkube", "status", "--json"], signal),
  ) as ClusterStatus;
  const partsBefore = await podParts(sandbox, signal);
  const memoryBefore = await roleMemory(sandbox, signal);
  const imagesOf = new Map<string, readonly string[]>();
  try {
    await using used = new UsedImages(sandbox, kubeconfigPath);
    const namespaces = await runInside(sandbox, kubeconfigPath, used, run);
    for (const [name, of] of namespaces) imagesOf.set(name, used.in(of));
  } finally {
    await requireAlive(sandbox);
    await keepLogs(sandbox, join(directory, "logs"), run);
  }
  for (const result of specResults(await readReport(output))) {
    const images = imagesOf.get(result.name);
    run.onResult(images === undefined ? result : { ...result, images });
  }
  report("looking for what the specs have left behind");
  const left = await leftovers(sandbox, partsBefore, signal);
  const memoryAfter = await roleMemory(sandbox, signal);
  for (const line of memoryLines(memoryBefore, memoryAfter)) report(`memory of ${line}`);
  return [...left, ...grown(memoryBefore, memoryAfter)];
}

/** Copies the cluster's logs to the output directory, as far as that can be done. */
async function keepLogs(sandbox: Sandbox, logs: string, run: SuiteRun): Promise<void> {
  const copy = ["cp", "-r", logs, join(sandbox.pathInside(run.output), "cluster-logs")];
  try {
    await succeed(sandbox, copy, AbortSignal.timeout(setUpTimeoutMs));
  } catch (error) {
    run.report(
      `the cluster's logs are lost: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Runs the specs. Returns the namespaces of each, by its name. */
async function runInside(
  sandbox: Sandbox,
  kubeconfigPath: string,
  used: UsedImages,
  run: SuiteRun,
): Promise<Map<string, readonly string[]>> {
  const { specs, output, signal, report, onResult } = run;
  const child = sandbox.spawn(ginkgoCommand(sandbox, kubeconfigPath, run), { signal });
  child.stdin.end();
  const log = createWriteStream(join(output, suiteLog));
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const progress = new SuiteProgress(specs);
  const namespaces = new Map<string, readonly string[]>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const ended = progress.take(line);
    if (ended === null) return;
    const { outcome, seconds, name } = ended;
    namespaces.set(name, ended.namespaces);
    report(`${namespaces.size}/${specs.length} ${outcome} in ${seconds.toFixed(1)} s: ${name}`);
    onResult({ ...resultOf(ended), images: used.in(ended.namespaces) });
  });
  try {
    // The exit code says no more than the report does.
    await child.exited;
  } finally {
    log.end();
    await finished(log);
  }
  signal.throwIfAborted();
  return namespaces;
}

function ginkgoCommand(sandbox: Sandbox, kubeconfigPath: string, run: SuiteRun): string[] {
  const { suite, specs, parallel, output } = run;
  const reports = sandbox.pathInside(output);
  return [
    sandbox.pathInside(suite.ginkgo),
    "run",
    `--procs=${parallel}`,
    ...focusOn(specs).map((expression) => `--focus=${expression}`),
    `--timeout=${suiteTimeoutHours}h`,
    ...["-v", "--no-color"],
    ...[`--output-dir=${reports}`, `--json-report=${jsonReport}`],
    sandbox.pathInside(suite.program),
    "--",
    `--kubeconfig=${kubeconfigPath}`,
    `--kubectl-path=${sandbox.checkout}/conformance/inside/kubectl`,
    ...["--provider=skeleton", "--node-os-distro=debian"],
  ];
}

/**
 * Throws when the sandbox itself has died, which the end of a command in it does not tell. The lab then
 * keeps the sandbox's logs, as `sandkube-kept-lab-*` in the temporary directory.
 */
async function requireAlive(sandbox: Sandbox): Promise<void> {
  try {
    await sandbox.exec(["true"], { signal: AbortSignal.timeout(setUpTimeoutMs) });
  } catch (error) {
    process.env["SANDKUBE_LAB_KEEP"] = "1";
    throw error;
  }
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
