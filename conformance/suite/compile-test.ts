import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { diesWithHarness, requireOnHost } from "../../lab/src/host-command.js";
import { goVersion } from "../../scripts/programs/go-build.js";

/** A Go test that becomes a program. */
export interface TestProgram {
  /** Directory of the module that pins it, absolute. */
  readonly module: string;
  /** Import path. */
  readonly package: string;
  readonly output: string;
  /** Linker flags beside those that every program gets. */
  readonly linkerFlags: readonly string[];
  readonly signal: AbortSignal;
}

/** A first build of Kubernetes' tests compiles most of Kubernetes: 12 minutes on two idle cores. */
const buildTimeoutMs = 90 * 60_000;

/** Builds a static program of a Go test. */
export async function compileTest(test: TestProgram): Promise<void> {
  const linkerFlags = ["-s", "-w", "-buildid=", ...test.linkerFlags].join(" ");
  const flags = ["-vet=off", "-trimpath", "-buildvcs=false", `-ldflags=${linkerFlags}`];
  await requireOnHost(
    diesWithHarness(["nice", "go", "test", "-c", ...flags, "-o", test.output, test.package]),
    {
      signal: test.signal,
      timeoutMs: buildTimeoutMs,
      cwd: test.module,
      env: { CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "off" },
    },
  );
}

/** What everything that is built from a module depends on. */
export async function moduleRecipe(module: string): Promise<Record<string, string>> {
  const content = (name: string) => readFile(join(module, name), "utf8");
  return {
    module: await content("go.mod"),
    sums: await content("go.sum"),
    go: await goVersion(module),
    architecture: process.arch,
  };
}
