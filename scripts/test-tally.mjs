/** Runs test programs and counts what passed and failed, from their machine-readable output. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { goEnvironment } from "./go-checks.mjs";
import { checkout, command, FailedCommand, tool } from "./set-up.mjs";

/** Runs a project of vitest.config.ts; filters choose test files. */
export async function runVitest(project, filters) {
  const directory = mkdtempSync(join(tmpdir(), "sandkube-test-"));
  const report = join(directory, "report.json");
  try {
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const args = [tool("vitest"), "run", "--project", project, ...reporters, ...filters];
    const succeeded = await succeeds(() => command(process.execPath, args));
    return countVitest(report, succeeded);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function succeeds(action) {
  try {
    await action();
    return true;
  } catch (error) {
    if (error instanceof FailedCommand) return false;
    throw error;
  }
}

function countVitest(report, succeeded) {
  let passed = 0;
  let failed = 0;
  try {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(
      readFileSync(report, "utf8"),
    );
    const brokenFiles = testResults.filter(
      ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
    );
    passed = numPassedTests;
    failed = numFailedTests + brokenFiles.length;
  } catch {
    // Without a report the exit code alone counts.
  }
  return { passed, failed: succeeded ? failed : Math.max(failed, 1) };
}

/** Runs Kubernetes' conformance tests; each spec counts as a test. */
export async function runConformance(args) {
  const child = spawn(
    process.execPath,
    ["--import", "tsx", "conformance/main.ts", ...args, "--json"],
    {
      cwd: checkout,
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const closed = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  let output = "";
  for await (const text of child.stdout.setEncoding("utf8")) output += text;
  const code = await closed;
  const {
    passed = 0,
    failed = 0,
    notRun = 0,
    misses = [],
  } = output === "" ? {} : JSON.parse(output);
  for (const { name, outcome, reason } of misses) {
    process.stdout.write(`${outcome}: ${name}\n  ${reason}\n`);
  }
  const missing = failed + notRun;
  return { passed, failed: code === 0 ? missing : Math.max(missing, 1) };
}

/** Runs the Go tests of packages of one module; prints packages and the output of failed tests. */
export async function runGoTests(module, packages) {
  // The linters run vet, with more checks.
  const child = spawn("go", ["test", "-vet=off", "-json", ...packages], {
    cwd: join(checkout, module),
    env: { ...process.env, ...goEnvironment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const tally = { passed: 0, failed: 0 };
  const output = new Map();
  const closed = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("{")) countGoEvent(JSON.parse(line), output, tally);
    else process.stdout.write(`${line}\n`);
  }
  const code = await closed;
  if (code !== 0 && tally.failed === 0) tally.failed = 1;
  return tally;
}

function countGoEvent(event, output, tally) {
  const { Action: action, Package: name, Test: test, Output: text } = event;
  const key = `${name ?? event.ImportPath} ${test ?? ""}`;
  if (action === "output" || action === "build-output") {
    output.set(key, (output.get(key) ?? "") + text);
    return;
  }
  const ended = action === "pass" || action === "fail";
  if (action === "build-fail" || action === "fail") process.stdout.write(output.get(key) ?? "");
  else if (ended && test === undefined)
    process.stdout.write(output.get(key)?.split("\n").at(-2) + "\n");
  // Subtests are part of their test.
  if (!ended || test === undefined || test.includes("/")) return;
  if (action === "pass") tally.passed += 1;
  else tally.failed += 1;
}
