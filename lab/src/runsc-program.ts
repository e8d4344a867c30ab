import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cached, entryPath, type Recipe } from "./cache.js";
import { DebianSuite } from "./debian-suite.js";
import { LabError } from "./errors.js";
import { diesWithHarness, requireOnHost } from "./host-command.js";

/** Generations of gVisor that the lab has: releases of 2026-09 and of 2024-07. */
export type GvisorKind = "g26" | "g24";

const modulePath = fileURLToPath(new URL("../runsc/", import.meta.url));
const buildTimeoutMs = 20 * 60_000;

/** The Debian release 2024-07-29; the suites are tried in turn, the archive moves it along. */
const debianRelease = { version: "0.0~20240729", suites: ["trixie", "sid"] } as const;

/** Path of the `runsc` program of a generation; builds or fetches it if it is not cached. */
export async function runscProgram(kind: GvisorKind, signal: AbortSignal): Promise<string> {
  const recipe = await runscRecipe(kind);
  const build = kind === "g26" ? buildFromGoModule : fetchFromDebian;
  const entry = await cached({
    name: `runsc-${kind}`,
    recipe,
    signal,
    build: (directory) => build(directory, signal),
  });
  return join(entry, "runsc");
}

/** Where the program of a generation is cached, whether or not it is there yet. */
export async function runscCacheEntry(kind: GvisorKind): Promise<string> {
  return entryPath(`runsc-${kind}`, await runscRecipe(kind));
}

async function runscRecipe(kind: GvisorKind): Promise<Recipe> {
  if (kind === "g24") {
    return { form: 1, version: debianRelease.version, architecture: process.arch };
  }
  const [goMod, goSum] = await Promise.all(
    ["go.mod", "go.sum"].map((name) => readFile(join(modulePath, name), "utf8")),
  );
  return { form: 1, goMod: goMod ?? "", goSum: goSum ?? "", architecture: process.arch };
}

async function buildFromGoModule(directory: string, signal: AbortSignal): Promise<void> {
  const target = join(directory, "runsc");
  const go = ["go", "build", "-trimpath", "-ldflags=-s -w", "-o", target];
  await requireOnHost(diesWithHarness(["nice", ...go, "gvisor.dev/gvisor/runsc"]), {
    signal,
    timeoutMs: buildTimeoutMs,
    cwd: modulePath,
    env: { CGO_ENABLED: "0", GOFLAGS: "-mod=readonly" },
  });
}

async function fetchFromDebian(directory: string, signal: AbortSignal): Promise<void> {
  const seen: string[] = [];
  for (const suite of debianRelease.suites) {
    await using packages = await DebianSuite.open({ suite, directory, signal });
    const versions = await packages.versions("runsc");
    const version = versions.find((candidate) => candidate.startsWith(debianRelease.version));
    if (version !== undefined) {
      const unpacked = join(directory, "unpacked");
      await packages.unpack("runsc", unpacked, version);
      await rename(join(unpacked, "usr/bin/runsc"), join(directory, "runsc"));
      await rm(unpacked, { recursive: true });
      return;
    }
    seen.push(`${suite}: ${versions.join(", ") || "none"}`);
  }
  throw new LabError(
    "E_LAB_BUILD",
    `the Debian archive no longer has runsc ${debianRelease.version} (${seen.join("; ")})`,
  );
}
