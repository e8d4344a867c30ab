import { join } from "node:path";
import type { Sandbox } from "../../lab/src/index.js";

const setUpTimeoutMs = 10 * 60_000;

/** Runs a command that has to succeed and returns its standard output. */
export async function succeed(
  sandbox: Sandbox,
  argv: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const options = { signal, timeoutMs: setUpTimeoutMs };
  const { exitCode, stdout, stderr } = await sandbox.exec(argv, options);
  if (exitCode === 0) return stdout;
  throw new Error(`${argv.join(" ")}: exit code ${exitCode}\n${stdout.slice(-4_000)}${stderr}`);
}

/**
 * Throws when the sandbox itself has died, which the end of a command in it does not tell. The lab then
 * keeps the sandbox's logs, as `sandkube-kept-lab-*` in the temporary directory.
 */
export async function requireAlive(sandbox: Sandbox): Promise<void> {
  try {
    await sandbox.exec(["true"], { signal: AbortSignal.timeout(setUpTimeoutMs) });
  } catch (error) {
    process.env["SANDKUBE_LAB_KEEP"] = "1";
    throw error;
  }
}

/** Copies the cluster's logs to the output directory, as far as that can be done. */
export async function keepLogs(
  sandbox: Sandbox,
  logs: string,
  run: { readonly output: string; readonly report: (line: string) => void },
): Promise<void> {
  const copy = ["cp", "-r", logs, join(sandbox.pathInside(run.output), "cluster-logs")];
  try {
    await succeed(sandbox, copy, AbortSignal.timeout(setUpTimeoutMs));
  } catch (error) {
    run.report(
      `the cluster's logs are lost: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
