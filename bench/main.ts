/** `npm run bench`: measures sandkube beside kwokctl, or its network, or its images. Data on standard output, progress on standard error. */
import { testImages } from "../e2e/images/test-images.js";
import { prepare } from "../lab/src/index.js";
import { generatedFile, writeGenerated } from "../scripts/generated-file.js";
import { run } from "../scripts/programs/command.js";
import { repositoryPath } from "../scripts/programs/repository.js";
import { performanceDocument } from "./document.js";
import { benchImages } from "./images/bench-images.js";
import { measuredVersions, thisMachine } from "./machine.js";
import { benchNetwork } from "./network/bench-network.js";
import { parseOptions, usage, UsageError, type BenchOptions } from "./options.js";
import { peerPrograms } from "./peer/programs.js";
import { sectionsOf } from "./report.js";
import { measureRounds } from "./rounds.js";
import { textOf } from "./table.js";
import { compareWithTargets } from "./targets.js";

const exitCodes = { failure: 1, usage: 2 } as const;

function report(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}

async function bench(options: BenchOptions, signal: AbortSignal): Promise<void> {
  if (options.build) {
    report("building the CLI and the programs");
    await run(["npm", "run", "--silent", "build"], { cwd: repositoryPath() });
    await run(["npm", "run", "--silent", "build:programs"], { cwd: repositoryPath() });
  }
  await prepare({ kinds: options.kinds, userlands: ["bookworm"], signal, report });
  process.stdout.write(await measured(options, signal));
}

async function measured(options: BenchOptions, signal: AbortSignal): Promise<string> {
  if (options.network) return await benchNetwork(options, signal, report);
  if (options.images) return await benchImages(options, signal, report);
  return await benchStart(options, signal);
}

/** Measures the start beside that of kwokctl, and returns tables or JSON. */
async function benchStart(options: BenchOptions, signal: AbortSignal): Promise<string> {
  const { runs, kinds } = options;
  const programs = await peerPrograms(signal, report);
  const { directory } = await testImages(signal);
  const images = { directory, hello: "hello.tar", busybox: "busybox.tar" };
  const machine = thisMachine();
  const results = await measureRounds({ runs, kinds, programs, images, signal, report });
  const targets = compareWithTargets(results);
  const versions = await measuredVersions();
  const sections = sectionsOf(results, targets);
  if (options.write) {
    const text = performanceDocument({ runs, machine, versions, sections });
    const file = await generatedFile("docs/performance.md", text);
    for (const path of writeGenerated([file])) report(`wrote ${path}`);
  }
  if (!options.json) return textOf(sections);
  return `${JSON.stringify({ schema: 1, runs, machine, versions, results, targets })}\n`;
}

const controller = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(name, () => controller.abort(new Error(`ended by ${name}`)));
}
try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(usage);
  else await bench(options, controller.signal);
} catch (thrown) {
  // What was aborted says only that; the reason says why.
  const error: unknown = controller.signal.aborted ? controller.signal.reason : thrown;
  report(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof UsageError ? exitCodes.usage : exitCodes.failure;
}
