import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cached, entryPath, type Recipe } from "./cache.js";
import { debianMirror } from "./debian.js";
import { LabError } from "./errors.js";
import { diesWithHarness, requireOnHost, runOnHost } from "./host-command.js";

/** Generations of gVisor that the lab has: releases of 2026-09 and of 2024-07. */
export type GvisorKind = "g26" | "g24";

const modulePath = fileURLToPath(new URL("../runsc/", import.meta.url));
const buildTimeoutMs = 20 * 60_000;
const downloadTimeoutMs = 5 * 60_000;

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

/** Fetches with package lists of its own: the machine's apt set-up is neither used up nor changed. */
async function fetchFromDebian(directory: string, signal: AbortSignal): Promise<void> {
  const mirror = await debianMirror();
  const seen: string[] = [];
  for (const suite of debianRelease.suites) {
    const scratch = join(directory, "apt");
    await mkdir(join(scratch, "lists", "partial"), { recursive: true });
    await mkdir(join(scratch, "cache", "archives", "partial"), { recursive: true });
    await writeFile(join(scratch, "status"), "");
    await writeFile(
      join(scratch, "debian.sources"),
      `Types: deb\nURIs: ${mirror}\nSuites: ${suite}\nComponents: main\n` +
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n",
    );
    const settings = [
      `Dir::Etc::sourcelist=${scratch}/debian.sources`,
      "Dir::Etc::sourceparts=-",
      `Dir::State::lists=${scratch}/lists`,
      `Dir::State::status=${scratch}/status`,
      `Dir::Cache=${scratch}/cache`,
      // The directory belongs to root: apt's unprivileged download user cannot write there.
      "APT::Sandbox::User=root",
      "Acquire::Languages=none",
      "Acquire::Retries=3",
    ].flatMap((setting) => ["-o", setting]);
    const options = { signal, timeoutMs: downloadTimeoutMs, cwd: scratch };
    await requireOnHost(diesWithHarness(["apt-get", ...settings, "update"]), options);
    const policy = await runOnHost(["apt-cache", ...settings, "madison", "runsc"], options);
    const versions = policy.stdout.split("\n").map((line) => line.split("|")[1]?.trim() ?? "");
    const version = versions.find((candidate) => candidate.startsWith(debianRelease.version));
    if (version !== undefined) {
      const download = ["apt-get", ...settings, "download", `runsc=${version}`];
      await requireOnHost(diesWithHarness(download), options);
      await unpackProgram(scratch, directory, signal);
      await rm(scratch, { recursive: true });
      return;
    }
    seen.push(`${suite}: ${versions.filter((found) => found !== "").join(", ") || "none"}`);
    await rm(scratch, { recursive: true });
  }
  throw new LabError(
    "E_LAB_BUILD",
    `the Debian archive no longer has runsc ${debianRelease.version} (${seen.join("; ")})`,
  );
}

async function unpackProgram(scratch: string, directory: string, signal: AbortSignal) {
  const options = { signal, timeoutMs: downloadTimeoutMs, cwd: scratch };
  await requireOnHost(["sh", "-c", "dpkg-deb --extract ./runsc_*.deb unpacked"], options);
  await rename(join(scratch, "unpacked/usr/bin/runsc"), join(directory, "runsc"));
}
