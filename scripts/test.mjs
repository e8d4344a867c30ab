/**
 * `npm test`: everything that is checked, from a fresh clone: set-up, linters, unit tests, and the
 * end-to-end tests in real sandboxes. `--only unit|lint|e2e` runs a part; further arguments choose test
 * files. The last line says how many tests and checks passed and failed.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  buildPackage,
  buildPrograms,
  checkMachine,
  checkout,
  command,
  FailedCommand,
  installPackages,
  SetUpError,
  tool,
} from "./set-up.mjs";
import { goEnvironment, runGoTests, runVitest } from "./test-tally.mjs";

const ownPackages = ["./internal/...", "./cmd/..."];
const goModules = [
  { directory: "runtime", packages: ownPackages },
  { directory: "runtime/upstream/containerd", packages: ["."] },
  { directory: "examples/hello", packages: ["."] },
];

const node = (name, ...args) => command(process.execPath, [tool(name), ...args]);
const go = (directory, ...args) =>
  command("go", args, { cwd: join(checkout, directory), environment: goEnvironment });

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
    ...goModules.flatMap(({ directory, packages }) => [
      {
        part: "lint",
        name: `go vet in ${directory}`,
        run: () => go(directory, "vet", ...packages),
      },
      {
        part: "lint",
        name: `staticcheck in ${directory}`,
        run: () => go(directory, "tool", `-modfile=${tools}`, "staticcheck", ...packages),
      },
    ]),
    { part: "unit", name: "TypeScript unit tests", run: () => runVitest("unit", filters) },
    ...goModules.map(({ directory, packages }) => ({
      part: "unit",
      name: `Go tests in ${directory}`,
      run: () => runGoTests(directory, packages),
    })),
    { part: "e2e", name: "the lab's sandboxes", run: prepareLab },
    { part: "e2e", name: "end-to-end tests", run: () => runVitest("e2e", filters) },
  ];
}

const tools = join(checkout, "runtime/tools/go.mod");

async function prepareLab() {
  await command(process.execPath, ["--import", "tsx", "lab/src/main.ts", "prepare"]);
}

async function checkGofmt() {
  const { stdout } = spawnSync("gofmt", ["-l", "runtime", "examples", "lab"], {
    cwd: checkout,
    encoding: "utf8",
  });
  if (stdout !== "") throw new SetUpError(`gofmt would change:\n${stdout}`);
}

async function main() {
  const { values, positionals } = parseArgs({
    options: { only: { type: "string" } },
    allowPositionals: true,
  });
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
