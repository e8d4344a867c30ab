/** `npm run conformance`: Kubernetes' conformance tests in the lab. Result on standard output, progress on standard error. */
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cacheRoot } from "../lab/src/cache.js";
import { prepare } from "../lab/src/index.js";
import { run } from "../scripts/programs/command.js";
import { repositoryPath } from "../scripts/programs/repository.js";
import { readVersions } from "../scripts/programs/versions.js";
import { parseOptions, usage, UsageError, type ConformanceOptions } from "./options.js";
import { keepRecord } from "./report/keep-record.js";
import type { SpecResult } from "./report/spec-results.js";
import { outcomeOf, summaryOf } from "./report/summary.js";
import { Journal, type JournalHead } from "./run/journal.js";
import { runnableSuite } from "./runnable-suite.js";
import { shardOf } from "./run/selection.js";
import { smokeSpecs } from "./smoke.js";
import type { RunnableSuite } from "./suites.js";
import { suiteIsBuilt } from "./suite/suite.js";

const exitCodes = { failure: 1, usage: 2, specsFailed: 3, endedEarly: 4 } as const;

function report(line: string): void {
  process.stderr.write(`conformance: ${line}\n`);
}

/** Runs the suite as the options say; returns the exit code. */
async function conformance(options: ConformanceOptions, signal: AbortSignal): Promise<number> {
  const { kind, nodes, parallel } = options;
  if (options.build) {
    report("building the CLI and the programs");
    await run(["npm", "run", "--silent", "build"], { cwd: repositoryPath() });
    await run(["npm", "run", "--silent", "build:programs"], { cwd: repositoryPath() });
  }
  if (options.ifBuilt && !(await suiteIsBuilt())) {
    report(
      "the suite is not built: npm run conformance -- --smoke builds it and runs the smoke set",
    );
    return 0;
  }
  const suite = await runnableSuite(options.suite, signal, report);
  const output = options.output ?? defaultOutput(options);
  const { version, components } = readVersions();
  const head: JournalHead = {
    kind,
    versions: { sandkube: version, ...components, ...suite.versions },
  };
  const journal =
    options.earlier === "discard"
      ? await newJournal(output, head, await choose(suite, options))
      : Journal.open(journalPath(output), head);
  const chosen = journal.specs;
  await prepare({ kinds: [kind], userlands: ["bookworm"], signal, report });
  const specs = chosen.filter((name) => isToRun(name, journal, options));
  const leftBehind: string[] = [];
  const early = specs.length === 0 ? null : await attempt();
  const results = chosen.flatMap((name) => journal.result(name) ?? []);
  const recorded = options.record ? await suite.recorded() : [];
  if (results.some(({ name }) => recorded.includes(name))) {
    const date = new Date().toISOString().slice(0, "YYYY-MM-DD".length);
    const paths = await keepRecord(options.suite, head, { results, specs: recorded, date });
    report(`recorded in ${paths.join(" and ")}`);
  }
  const outcome = outcomeOf(results, chosen.length);
  const summary = options.json ? JSON.stringify({ ...outcome, leftBehind }) : summaryOf(outcome);
  process.stdout.write(`${summary.trimEnd()}\n`);
  report(`logs, reports and results are in ${output}`);
  if (early !== null) {
    report(`${early.message}\n--resume goes on from here`);
    return exitCodes.endedEarly;
  }
  for (const part of leftBehind) report(`left behind on the node: ${part}`);
  return outcome.failed > 0 || leftBehind.length > 0 ? exitCodes.specsFailed : 0;

  /** Returns why the run ended before the last spec, if it did. */
  async function attempt(): Promise<Error | null> {
    const directory = await emptyRunDirectory(output);
    report(`${specs.length} of ${chosen.length} specs are to be run`);
    try {
      const onResult = (result: SpecResult): void => {
        if (specs.includes(result.name)) journal.add(result);
        else report(`${result.name} ${result.outcome}: ${result.reason}`);
      };
      const parts = await suite.run({
        kind,
        nodes,
        specs,
        parallel,
        output: directory,
        signal,
        report,
        onResult,
      });
      leftBehind.push(...parts);
    } catch (error) {
      if (signal.aborted || !(error instanceof Error)) throw error;
      return error;
    }
    const left = specs.filter((name) => journal.result(name) === undefined).length;
    return left === 0 ? null : new Error(`the suite ended with ${left} specs still to be run`);
  }
}

function defaultOutput({ suite, kind, smoke }: ConformanceOptions): string {
  return join(dirname(cacheRoot()), suite, smoke ? `${kind}-smoke` : kind);
}

/** The specs that the options ask for. */
async function choose(suite: RunnableSuite, options: ConformanceOptions): Promise<string[]> {
  const matching = options.smoke ? [...smokeSpecs] : await suite.matching(options);
  const chosen = options.shard === null ? matching : shardOf(matching, options.shard);
  if (chosen.length === 0) throw new UsageError("no spec matches --focus, --skip and --shard");
  return chosen;
}

async function newJournal(
  output: string,
  head: JournalHead,
  specs: readonly string[],
): Promise<Journal> {
  await rm(output, { recursive: true, force: true });
  await mkdir(output, { recursive: true });
  return Journal.create(journalPath(output), head, specs);
}

function journalPath(output: string): string {
  return join(output, "results.jsonl");
}

function isToRun(name: string, journal: Journal, { earlier }: ConformanceOptions): boolean {
  const outcome = journal.result(name)?.outcome;
  return outcome === undefined || (earlier === "repeat-failed" && outcome === "failed");
}

/** The place for the logs of one run; of an earlier one only the results stay. */
async function emptyRunDirectory(output: string): Promise<string> {
  const directory = join(output, "run");
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  return directory;
}

const controller = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(name, () =>
    controller.abort(new Error(`ended by ${name}; --resume goes on from here`)),
  );
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
