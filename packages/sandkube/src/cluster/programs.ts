import { join } from "node:path";
import { SandkubeError } from "../errors.js";
import { errnoOf } from "../platform/files.js";
import { copyPrograms } from "../runtime/copy-programs.js";
import { damaged, locatePrograms } from "../runtime/locate-programs.js";
import { packageVersion } from "../runtime/package-version.js";
import { installedPrograms, platformPackage } from "../runtime/platform-package.js";
import { filesOfWrongContent, readManifest } from "../runtime/programs-manifest.js";
import { makeDataDirectory, removeUnusedDataDirectory } from "../state/data-directory.js";
import { acquireLock } from "../state/lock.js";
import { surroundingsOf, type SurroundingsOptions } from "./surroundings.js";

/** How long another `installPrograms` may go on. */
const lockTimeoutMs = 120_000;

export interface ProgramsOptions extends SurroundingsOptions {
  signal?: AbortSignal | undefined;
}

/** The programs that `up` would start. */
export interface InstalledPrograms {
  directory: string;
  version: string;
  /** The versions of what they are built from, such as `kubernetes: v1.36.4`. */
  components: Record<string, string>;
}

/**
 * Finds sandkube's programs and compares the content of each with its digest, which takes a second or
 * two. Throws E_PROGRAMS_MISMATCH, naming the files that differ, or as `createCluster` does when they
 * are missing.
 */
export async function verifyPrograms(options: ProgramsOptions = {}): Promise<InstalledPrograms> {
  const { directory, version, components } = await surroundingsOf(options).locate();
  const wrong = await filesOfWrongContent(directory, await readManifest(directory), options.signal);
  if (wrong.length > 0) throw damaged(directory, wrong);
  return { directory, version, components };
}

/**
 * Copies the programs of the installed platform package, or of the directory that SANDKUBE_PROGRAMS
 * names, into the data directory, from where they are used afterwards: for packages whose programs can
 * not be executed where they lie. Each file is checked against its digest. Throws E_PROGRAMS_MISSING,
 * E_PROGRAMS_MISMATCH or E_DATA_DIRECTORY.
 */
export async function installPrograms(options: ProgramsOptions = {}): Promise<InstalledPrograms> {
  const { dataDirectory, programsOverride } = surroundingsOf(options);
  const version = await packageVersion();
  const source = programsOverride ?? installedPrograms(process.arch);
  if (source === null) {
    throw new SandkubeError(
      "E_PROGRAMS_MISSING",
      `there is nothing to copy: the package ${platformPackage(process.arch)} is not installed`,
      { hint: "`sandkube up` says how to install it." },
    );
  }
  try {
    await makeDataDirectory(dataDirectory);
    await using _lock = await acquireLock(join(dataDirectory, ".programs-lock"), {
      timeoutMs: lockTimeoutMs,
      signal: options.signal,
    });
    const directory = await copyPrograms(source, dataDirectory, options.signal);
    const { components } = await locatePrograms({ dataDirectory, version });
    return { directory, version, components };
  } catch (error) {
    await removeUnusedDataDirectory(dataDirectory).catch(() => {});
    if (error instanceof SandkubeError || errnoOf(error) === undefined) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new SandkubeError(
      "E_DATA_DIRECTORY",
      `the data directory ${dataDirectory} can not be used: ${reason}`,
      { hint: "Choose another one with --data or SANDKUBE_DATA.", cause: error },
    );
  }
}
