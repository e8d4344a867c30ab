/** `npm run conformance`: Kubernetes' conformance tests in the lab. Result on standard output, progress on standard error. */
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cacheRoot } from "../lab/src/cache.js";
import { prepare, type SandboxKind } from "../lab/src/index.js";
import { generatedFile, writeGenerated } from "../scripts/generated-file.js";
import { run } from "../scripts/programs/command.js";
import { repositoryPath } from "../scripts/programs/repository.js";
import { readVersions } from "../scripts/programs/versions.js";
import { conformanceImages } from "./images/conformance-images.js";
import { parseOptions, usage, UsageError, type ConformanceOptions, type Scope } from "./options.js";
import { conformanceDocument } from "./report/document.js";
import {
  keptRecords,
  outcomeOf,
  recordPath,
  type RunOutcome,
  type RunRecord,
} from "./report/record.js";
import { summaryOf } from "./report/summary.js";
import { runSuite } from "./run/run-suite.js";
import { conformanceSuite } from "./suite/suite.js";

const exitCodes = { failure: 1, usage: 2, specsFailed: 3 } as const;

function report(line: string): void {
  process.stderr.write(`conformance: ${line}\n`);
}

/** Runs the suite as the options say; returns the exit code. */
async function conformance(options: ConformanceOptions, signal: AbortSignal): Promise<number> {
  const { kind, focus, skip } = options;
  if (options.build) {
    report("building the CLI and the programs");
    await run(["npm", "run", "--silent", "build"], { cwd: repositoryPath() });
    await run(["npm", "run", "--silent", "build:programs"], { cwd: repositoryPath() });
  }
  const suite = await conformanceSuite(signal, report);
  const images = await conformanceImages(suite.images, signal, report);
  await prepare({ kinds: [kind], userlands: ["bookworm"], signal, report });
  const output = options.output ?? join(dirname(cacheRoot()), "conformance", kind);
  await rm(output, { recursive: true, force: true });
  await mkdir(output, { recursive: true });
  const result = await runSuite({ kind, suite, images, focus, skip, output, signal, report });
  const outcome = outcomeOf(result.specs);
  const isWhole = result.planned > 0 && result.planned === result.specs.length;
  if (isWhole && options.scope !== null) await keep(outcome, kind, options.scope);
  process.stdout.write(summaryOf(outcome));
  report(`logs and reports are in ${output}`);
  if (outcome.failed > 0) return exitCodes.specsFailed;
  if (isWhole) return 0;
  throw new Error(
    result.planned === 0
      ? "no spec matches --focus and --skip"
      : `the suite ended after ${result.specs.length} of ${result.planned} specs`,
  );
}

/** Replaces the record of the same lab and scope, and renders the document anew. */
async function keep(outcome: RunOutcome, kind: SandboxKind, scope: Scope): Promise<void> {
  const { version, components } = readVersions();
  const record: RunRecord = {
    kind,
    scope,
    date: new Date().toISOString().slice(0, "YYYY-MM-DD".length),
    versions: { sandkube: version, ...components },
    ...outcome,
  };
  const own = await generatedFile(recordPath(record), JSON.stringify(record));
  writeGenerated([own]);
  const document = conformanceDocument(await keptRecords());
  writeGenerated([await generatedFile("docs/conformance.md", document)]);
  report(`recorded in ${own.path} and docs/conformance.md`);
}

const controller = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(name, () => controller.abort(new Error(`ended by ${name}`)));
}
try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(usage);
  else process.exitCode = await conformance(options, controller.signal);
} catch (thrown) {
  // What was aborted says only that; the reason says why.
  const error: unknown = controller.signal.aborted ? controller.signal.reason : thrown;
  report(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof UsageError ? exitCodes.usage : exitCodes.failure;
}
