import { existsSync } from "node:fs";
import { ensurePrograms } from "./debian.js";
import { LabError } from "./errors.js";
import { rootFilesystem, rootFilesystemCacheEntry, type Userland } from "./root-filesystem.js";
import { runscCacheEntry, runscProgram } from "./runsc-program.js";
import type { SandboxKind } from "./sandbox.js";

/** Programs of this machine the lab calls, with the Debian packages that have them. */
const neededPrograms = {
  ip: "iproute2",
  debootstrap: "debootstrap",
  unshare: "util-linux",
  setpriv: "util-linux",
  nsenter: "util-linux",
  script: "bsdutils",
  ps: "procps",
} as const;

export interface PrepareOptions {
  readonly kinds: readonly SandboxKind[];
  readonly userlands: readonly Userland[];
  readonly signal: AbortSignal;
  /** Told, in a line each, what is being made and about how long that takes. */
  readonly report?: (line: string) => void;
}

interface Step {
  readonly title: string;
  /** On two cores, with a fast network. */
  readonly estimateSeconds: number;
  readonly entry: string;
  readonly make: () => Promise<string>;
}

/**
 * Makes all that the sandboxes of these kinds and userlands need and that is not cached yet, and
 * installs the programs this machine lacks for it. Throws E_LAB_UNSUPPORTED where it cannot work.
 */
export async function prepare(options: PrepareOptions): Promise<void> {
  const { signal } = options;
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    throw new LabError("E_LAB_UNSUPPORTED", "the lab needs Linux and root: it boots sandboxes");
  }
  await ensurePrograms(neededPrograms, signal);
  const gvisorKinds = options.kinds.filter((kind) => kind !== "bare");
  const runscSteps = gvisorKinds.map(async (kind): Promise<Step> => ({
    title: kind === "g26" ? "runsc of g26, from the Go module" : "runsc of g24, from Debian",
    estimateSeconds: kind === "g26" ? 80 : 10,
    entry: await runscCacheEntry(kind),
    make: () => runscProgram(kind, signal),
  }));
  const userlands = gvisorKinds.length === 0 ? [] : options.userlands;
  const rootSteps = userlands.map((userland): Step => ({
    title: `root file system of ${userland}`,
    estimateSeconds: 40,
    entry: rootFilesystemCacheEntry(userland),
    make: () => rootFilesystem(userland, signal),
  }));
  const steps = [...(await Promise.all(runscSteps)), ...rootSteps];
  const missing = steps.filter(({ entry }) => !existsSync(entry));
  for (const [index, step] of missing.entries()) {
    const remaining = missing.slice(index).reduce((sum, next) => sum + next.estimateSeconds, 0);
    const place = `lab ${index + 1}/${missing.length}`;
    options.report?.(
      `${place}: ${step.title} (about ${step.estimateSeconds} s, ${remaining} s in all)`,
    );
    const start = performance.now();
    await step.make();
    const seconds = ((performance.now() - start) / 1_000).toFixed(1);
    options.report?.(`${place}: ${step.title}: done in ${seconds} s`);
  }
}
