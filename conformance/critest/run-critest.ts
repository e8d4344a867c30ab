import { join } from "node:path";
import type { ClusterStatus } from "sandkube";
import { bootSandbox, type Sandbox } from "../../lab/src/index.js";
import type { ConformanceImages } from "../images/conformance-images.js";
import { resultOf, specResults } from "../report/spec-results.js";
import { readReport, reportEnded, runGinkgo } from "../run/ginkgo.js";
import { startImageRegistry } from "../run/image-registry.js";
import { leftovers, podParts } from "../run/leftovers.js";
import { keepLogs, requireAlive, succeed } from "../run/sandbox-commands.js";
import { focusOn } from "../run/selection.js";
import type { SpecRun } from "../suites.js";
import type { Critest } from "./critest.js";

/** Where a sandbox of gVisor shows critest and the output directory; in `bare` they stay in place. */
const insidePaths = { critest: "/critest", output: "/output" } as const;

/** The name that critest's suite gives itself. */
const suiteText = "CRI validation";
const log = "critest.log";
const jsonReport = "report.json";
const suiteTimeoutHours = 3;

/**
 * Boots a sandbox with a cluster and runs specs of critest on its containerd, in the namespaces of the
 * node, where containerd is. critest wants to be the only one that uses it: meanwhile the kubelet, which
 * removes pods that it does not know, is stopped. In `output` are then the log, the report and the
 * cluster's logs. Returns what the specs have left behind on the node, a line each.
 */
export async function runCritest(
  critest: Critest,
  images: ConformanceImages,
  run: SpecRun,
): Promise<string[]> {
  const { kind, output, signal, report } = run;
  const extraMounts = [
    { source: critest.directory, destination: insidePaths.critest },
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
  await succeed(sandbox, ["sandkube", "up", "--registries-config", registries], signal);
  const { directory } = JSON.parse(
    await succeed(sandbox, ["sandkube", "status", "--json"], signal),
  ) as ClusterStatus;
  const kubelet = await pidOf(sandbox, /sandkube-runtime node /);
  const nodeInit = await pidOf(sandbox, /sandkube-supervisor node-init /);
  const before = await podParts(sandbox, signal);
  await succeed(sandbox, ["kill", "-STOP", kubelet], signal);
  try {
    await runInside(sandbox, critest, { directory, nodeInit }, run);
  } finally {
    await requireAlive(sandbox);
    await keepLogs(sandbox, join(directory, "logs"), run);
    await succeed(sandbox, ["kill", "-CONT", kubelet], AbortSignal.timeout(continueTimeoutMs));
  }
  for (const result of specResults(await readReport(output, jsonReport, log))) {
    run.onResult(result);
  }
  report("looking for what the specs have left behind");
  return await leftovers(sandbox, before, signal);
}

const continueTimeoutMs = 60_000;

/** The number of the only process whose command line matches. */
async function pidOf(sandbox: Sandbox, commandLine: RegExp): Promise<string> {
  const found = (await sandbox.processes()).filter(({ command }) => commandLine.test(command));
  const [process] = found;
  if (process === undefined || found.length > 1) {
    throw new Error(`${found.length} processes match ${commandLine}, not one`);
  }
  return `${process.pid}`;
}

interface Node {
  /** The cluster's. */
  readonly directory: string;
  /** The number of the first process in the node's namespaces. */
  readonly nodeInit: string;
}

async function runInside(
  sandbox: Sandbox,
  critest: Critest,
  { directory, nodeInit }: Node,
  run: SpecRun,
): Promise<void> {
  let count = 0;
  const inNode = await entryOf(sandbox, nodeInit, run.signal);
  await runGinkgo({
    sandbox,
    argv: [
      ...inNode,
      sandbox.pathInside(critest.program),
      `--runtime-endpoint=unix://${directory}/node/run/containerd.sock`,
      ...focusOn(suiteText, run.specs).map((expression) => `--ginkgo.focus=${expression}`),
      ...["--ginkgo.v", "--ginkgo.no-color", `--ginkgo.timeout=${suiteTimeoutHours}h`],
      `--ginkgo.json-report=${join(sandbox.pathInside(run.output), jsonReport)}`,
    ],
    specs: run.specs,
    log: join(run.output, log),
    signal: run.signal,
    onEnded: (ended) => {
      count += 1;
      reportEnded(run, ended, count);
      run.onResult(resultOf(ended));
    },
  });
}

/**
 * The command that enters the namespaces of a process: those of mounts and processes, or the former
 * alone where the kernel does not let a process enter one of processes.
 */
async function entryOf(sandbox: Sandbox, pid: string, signal: AbortSignal): Promise<string[]> {
  const mounts = ["nsenter", `--target=${pid}`, "--mount"];
  const both = [...mounts, "--pid"];
  const { exitCode } = await sandbox.exec([...both, "true"], { signal });
  return exitCode === 0 ? both : mounts;
}
