import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requireOnHost } from "../../lab/src/host-command.js";
import { plannedSpecs } from "../report/spec-results.js";
import type { Selection } from "../suites.js";

const dryRunTimeoutMs = 120_000;

/**
 * Names of the specs that a run of a suite's program with these expressions would run; Ginkgo itself
 * says which.
 */
export async function specsThatMatch(
  program: string,
  { focus, skip }: Selection,
  signal: AbortSignal,
): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), "sandkube-conformance-"));
  const report = join(directory, "report.json");
  const argv = [
    program,
    ...["--ginkgo.dry-run", "--ginkgo.silence-skips", `--ginkgo.json-report=${report}`],
    ...(focus === null ? [] : [`--ginkgo.focus=${focus}`]),
    ...(skip === null ? [] : [`--ginkgo.skip=${skip}`]),
  ];
  try {
    await requireOnHost(argv, { signal, timeoutMs: dryRunTimeoutMs, cwd: directory });
    return plannedSpecs(await readFile(report, "utf8"));
  } finally {
    await rm(directory, { recursive: true });
  }
}
