import * as fs from "node:fs/promises";
import { join } from "node:path";
import { SandkubeError } from "../errors.js";
import { exists, makePrivateDirectory, removeTree } from "../platform/files.js";
import { runCommand } from "../platform/processes.js";
import type { Programs } from "../runtime/locate-programs.js";
import type { ClusterPaths } from "../state/cluster-paths.js";

/** Where a registries.yaml is looked for: sandkube's own place, then k3s'. The first one counts. */
export const registriesPlaces = [
  "/etc/sandkube/registries.yaml",
  "/etc/rancher/k3s/registries.yaml",
] as const;

const configureTimeoutMs = 30_000;

/**
 * Finds the registries.yaml: the one that the user named, else the first of the usual places; null
 * where there is none. Throws E_CONFIG when the named one does not exist.
 */
export async function findRegistriesConfig(named: string | null): Promise<string | null> {
  if (named !== null) {
    if (await exists(named)) return named;
    throw new SandkubeError("E_CONFIG", `the registries configuration ${named} does not exist`, {
      hint: "Name an existing file with --registries-config; an empty one has no effect.",
    });
  }
  for (const place of registriesPlaces) if (await exists(place)) return place;
  return null;
}

/** Into what a registries.yaml is translated for the node. */
export interface RegistrySettings {
  /** A directory, with one for each registry that is not asked in the usual way. */
  registryHosts: string;
  /** A file with the accounts at registries. */
  registryAccounts: string;
}

/**
 * Translates a registries.yaml for the node, into what does not exist yet. Throws
 * E_CONFIG that names everything that is wrong in the file.
 */
export async function translateRegistries(
  programs: Programs,
  file: string,
  { registryHosts, registryAccounts }: RegistrySettings,
  signal?: AbortSignal,
): Promise<void> {
  const targets = ["--hosts", registryHosts, "--accounts", registryAccounts];
  const result = await runCommand(
    programs.path("sandkube-containerd"),
    ["registry", "configure", "--config", file, ...targets],
    { timeoutMs: configureTimeoutMs, signal },
  );
  if (result.exitCode === 0) return;
  const problems = result.timedOut
    ? [`it was not read within ${configureTimeoutMs / 1_000} s`]
    : result.stderr
        .trim()
        .replace(/^registry: /, "")
        .split("\n");
  throw new SandkubeError("E_CONFIG", `the registries configuration: ${problems.join("; ")}`, {
    hint: "docs/registries.md shows what can be said in the file.",
    details: { file, problems },
  });
}

/**
 * Makes the file's settings those that the cluster starts with, in place of what was there; null:
 * there are none. Gives up without a change when the file can not be used.
 */
export async function configureRegistries(
  programs: Programs,
  paths: ClusterPaths,
  file: string | null,
  signal?: AbortSignal,
): Promise<void> {
  const next = join(paths.egressDirectory, "next");
  await removeTree(next);
  if (file !== null) {
    await makePrivateDirectory(next);
    const settings = {
      registryHosts: join(next, "hosts"),
      registryAccounts: join(next, "accounts.json"),
    };
    await translateRegistries(programs, file, settings, signal);
  }
  await removeTree(paths.registryHosts);
  await removeTree(paths.registryAccounts);
  if (file === null) return;
  await fs.rename(join(next, "hosts"), paths.registryHosts);
  await fs.rename(join(next, "accounts.json"), paths.registryAccounts);
  await removeTree(next);
}
