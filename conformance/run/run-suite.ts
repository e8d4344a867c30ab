import { join } from "node:path";
import type { ClusterStatus } from "sandkube";
import { bootSandbox, type Sandbox } from "../../lab/src/index.js";
import type { ConformanceImages } from "../images/conformance-images.js";
import { resultOf, specResults } from "../report/spec-results.js";
import type { Suite } from "../suite/suite.js";
import type { SpecRun } from "../suites.js";
import { readReport, reportEnded, runGinkgo } from "./ginkgo.js";
import { startImageRegistry } from "./image-registry.js";
import { leftovers, podParts } from "./leftovers.js";
import { grown, memoryLines, roleMemory } from "./role-memory.js";
import { keepLogs, requireAlive, succeed } from "./sandbox-commands.js";
import { focusOn } from "./selection.js";
import { UsedImages } from "./used-images.js";

/** Where a sandbox of gVisor shows the suite and the output directory; in `bare` they stay in place. */
const insidePaths = { suite: "/conformance", output: "/output" } as const;

/** The name that the suite gives itself. */
const suiteText = "Kubernetes e2e suite";
const suiteLog = "e2e.log";
const jsonReport = "report.json";
/** Ginkgo ends the suite itself, with a report, before the harness gives up. */
const suiteTimeoutHours = 8;

/**
 * Boots a sandbox with a cluster and runs specs in it. In `output` are then the suite's log, its
 * report and the cluster's logs. Throws when the suite does not come to its end; the results until
 * then have been told. When the sandbox died, the error says so. Returns what the specs have left behind on
 * the node, memory of the cluster's parts included, a line each.
 */
export async function runSuite(
  suite: Suite,
  images: ConformanceImages,
  run: SpecRun,
): Promise<string[]> {
  const { kind, nodes, output, signal, report } = run;
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
    const namespaces = await runInside(sandbox, { suite, kubeconfigPath, used }, run);
    for (const [name, of] of namespaces) imagesOf.set(name, used.in(of));
  } finally {
    await requireAlive(sandbox);
    await keepLogs(sandbox, join(directory, "logs"), run);
  }
  for (const result of specResults(await readReport(output, jsonReport, suiteLog))) {
    const images = imagesOf.get(result.name);
    run.onResult(images === undefined ? result : { ...result, images });
  }
  report("looking for what the specs have left behind");
  const left = await leftovers(sandbox, partsBefore, signal);
  const memoryAfter = await roleMemory(sandbox, signal);
  for (const line of memoryLines(memoryBefore, memoryAfter)) report(`memory of ${line}`);
  return [...left, ...grown(memoryBefore, memoryAfter)];
}

interface InSandbox {
  readonly suite: Suite;
  readonly kubeconfigPath: string;
  readonly used: UsedImages;
}

/** Runs the specs. Returns the namespaces of each, by its name. */
async function runInside(
  sandbox: Sandbox,
  { suite, kubeconfigPath, used }: InSandbox,
  run: SpecRun,
): Promise<Map<string, readonly string[]>> {
  const { specs, output, signal, onResult } = run;
  const namespaces = new Map<string, readonly string[]>();
  await runGinkgo({
    sandbox,
    argv: ginkgoCommand(sandbox, suite, kubeconfigPath, run),
    specs,
    log: join(output, suiteLog),
    signal,
    onEnded: (ended) => {
      namespaces.set(ended.name, ended.namespaces);
      reportEnded(run, ended, namespaces.size);
      onResult({ ...resultOf(ended), images: used.in(ended.namespaces) });
    },
  });
  return namespaces;
}

function ginkgoCommand(
  sandbox: Sandbox,
  suite: Suite,
  kubeconfigPath: string,
  { specs, parallel, output }: SpecRun,
): string[] {
  const reports = sandbox.pathInside(output);
  return [
    sandbox.pathInside(suite.ginkgo),
    "run",
    `--procs=${parallel}`,
    ...focusOn(suiteText, specs).map((expression) => `--focus=${expression}`),
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
