/**
 * `npm test`: everything that is checked, from a fresh clone: set-up, linters, unit tests, and the
 * end-to-end tests in real sandboxes. `--only unit|lint|e2e` runs a part; further arguments choose test
 * files. The last line says how many tests and checks passed and failed.
 */
import { parseArgs } from "node:util";
import { checkGofmt, checkWorkflows, goModules, staticcheck, vet } from "./go-checks.mjs";
import {
  buildPackage,
  buildPrograms,
  checkMachine,
  command,
  FailedCommand,
  installPackages,
  SetUpError,
  tool,
} from "./set-up.mjs";
import { runConformance, runGoTests, runVitest } from "./test-tally.mjs";

const node = (name, ...args) => command(process.execPath, [tool(name), ...args]);

const usage = `npm test [-- [--only unit|lint|e2e] [FILE...]]

Everything that is checked, in order: set-up, linters, unit tests, end-to-end tests in real
sandboxes. FILE chooses test files by a part of their path.
`;

/** In order. What is in no part is needed by all. */
function steps(filters) {
  return [
    { name: "npm packages", run: installPackages },
    { name: "build of the CLI", run: buildPackage },
    { name: "build of the programs", run: buildPrograms },
    {
      part: "lint",
      name: "TypeScript types",
      run: () => node("tsc", "--project", "tsconfig.json"),
    },
    { part: "lint", name: "oxlint", run: () => node("oxlint", "--deny-warnings") },
    { part: "lint", name: "oxfmt", run: () => node("oxfmt", "--check") },
    { part: "lint", name: "gofmt", run: checkGofmt },
    { part: "lint", name: "actionlint", run: checkWorkflows },
    ...goModules.flatMap((module) => [
      { part: "lint", name: `go vet in ${module.directory}`, run: () => vet(module) },
      { part: "lint", name: `staticcheck in ${module.directory}`, run: () => staticcheck(module) },
    ]),
    { part: "unit", name: "TypeScript unit tests", run: () => runVitest("unit", filters) },
    ...goModules.map(({ directory, packages }) => ({
      part: "unit",
      name: `Go tests in ${directory}`,
      run: () => runGoTests(directory, packages),
    })),
    { part: "e2e", name: "the lab's sandboxes", run: prepareLab },
    { part: "e2e", name: "end-to-end tests", run: () => runVitest("e2e", filters) },
    ...(filters.length === 0
      ? [{ part: "e2e", name: "smoke set of Kubernetes' conformance suite", run: smokeSet }]
      : []),
  ];
}

async function prepareLab() {
  await command(process.execPath, ["--import", "tsx", "lab/src/main.ts", "prepare"]);
}

/** A first build of the suite takes up to 25 minutes on 2 cores: it compiles most of Kubernetes again. */
const latestStartOfSuiteBuildSeconds = 35 * 60;

/**
 * Counts each spec as a test. Where the rest has taken long, as a first `npm test` does, nothing is run
 * unless the suite is built already.
 */
async function smokeSet() {
  const args = ["--smoke", "--nodes", "2", "--parallel", "2", "--no-build", "--no-record"];
  const isLate = process.uptime() > latestStartOfSuiteBuildSeconds;
  return await runConformance(isLate ? [...args, "--if-built"] : args);
}

function parsedArguments() {
  try {
    return parseArgs({
      options: { only: { type: "string" }, help: { type: "boolean", short: "h" } },
      allowPositionals: true,
    });
  } catch (error) {
    throw new SetUpError(`${error.message}\n${usage}`);
  }
}

async function main() {
  const { values, positionals } = parsedArguments();
  if (values.help === true) {
    process.stdout.write(usage);
    return;
  }
  if (values.only !== undefined && !["unit", "lint", "e2e"].includes(values.only)) {
    throw new SetUpError(`--only takes unit, lint or e2e, not ${values.only}.`);
  }
  checkMachine();
  const total = { passed: 0, failed: 0 };
  for (const step of steps(positionals)) {
    if (values.only !== undefined && step.part !== undefined && step.part !== values.only) continue;
    const tally = await perform(step);
    total.passed += tally.passed;
    total.failed += tally.failed;
    // Nothing can be tested where the set-up failed.
    if (step.part === undefined && tally.failed > 0) break;
  }
  process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
  process.exitCode = total.failed === 0 ? 0 : 1;
}

/** Runs a step, which counts as one check unless it counts tests itself, and prints its duration. */
async function perform({ name, run }) {
  process.stdout.write(`==> ${name}\n`);
  const startedAt = Date.now();
  const result = await run()
    .then((tally) => tally ?? { passed: 1, failed: 0 })
    .catch((error) => {
      if (!(error instanceof SetUpError || error instanceof FailedCommand)) throw error;
      process.stdout.write(`${error.message}\n`);
      return { passed: 0, failed: 1 };
    });
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(`    ${name}: ${result.failed === 0 ? "ok" : "FAILED"} in ${seconds} s\n`);
  return result;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  process.stderr.write(`npm test: ${error.message}\n`);
  process.exitCode = 2;
}
