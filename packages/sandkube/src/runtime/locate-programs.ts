import * as fs from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { SandkubeError } from "../errors.js";
import { exists, isExecutable, readFileIfExists } from "../platform/files.js";
import { packageDirectory } from "./package-directory.js";
import {
  explainAbsence,
  installedPrograms,
  isReleased,
  platformPackage,
  releasedArchitectures,
} from "./platform-package.js";
import { filesOfWrongSize, manifestFile, readManifest } from "./programs-manifest.js";

/** The executables of a programs directory. */
export const programNames = [
  "sandkube-supervisor",
  "sandkube-runtime",
  "sandkube-oci",
  "sandkube-containerd",
  "sandkube-network",
  "containerd-shim-runc-v2",
  "runc",
] as const;

export type ProgramName = (typeof programNames)[number];

/** The other files of a programs directory. */
const dataFiles = ["pause.tar", manifestFile] as const;

const executableModeBits = 0o111;

/** sandkube's programs for this machine. */
export interface Programs {
  /** Absolute path of the directory that holds them all. */
  directory: string;
  version: string;
  /** The versions of what they are built from, such as `kubernetes: v1.36.4`. */
  components: Record<string, string>;
  path(name: ProgramName): string;
}

export interface LocateOptions {
  /** The directory that SANDKUBE_PROGRAMS names. */
  override?: string | undefined;
  /** The directory of all clusters, in which `sandkube programs install` puts a copy. */
  dataDirectory?: string | undefined;
  /** The version that the programs must have. */
  version: string;
  /** Root of the source checkout that may hold a `.programs` file; by default the one that this package is in. */
  checkout?: string;
  /** The processor, by Node's name; by default this process's. */
  architecture?: string;
}

/** Where a copy of the programs of a version lies in a data directory. */
export function copiedPrograms(dataDirectory: string, version: string): string {
  return join(dataDirectory, `.programs-${version}`);
}

/**
 * Finds the programs: where SANDKUBE_PROGRAMS says, else the copy in the data directory, else in the
 * installed platform package, else in the cache that the checkout's `.programs` file points at.
 * Throws E_NOT_LINUX, E_ARCHITECTURE, E_PROGRAMS_MISSING, E_PROGRAMS_MISMATCH or E_NOT_EXECUTABLE.
 */
export async function locatePrograms(options: LocateOptions): Promise<Programs> {
  if (process.platform !== "linux") {
    throw new SandkubeError(
      "E_NOT_LINUX",
      `clusters run on Linux only, this is ${process.platform}`,
      {
        hint: "Run sandkube inside a Linux sandbox, container or virtual machine.",
      },
    );
  }
  const { override, dataDirectory, version, architecture = process.arch } = options;
  if (override !== undefined) return await checkPrograms(override, version, architecture);
  const copy = dataDirectory === undefined ? null : copiedPrograms(dataDirectory, version);
  if (copy !== null && (await exists(copy)))
    return await checkPrograms(copy, version, architecture);
  const installed = installedPrograms(architecture);
  if (installed !== null) {
    const programs = await checkPrograms(installed, version, architecture);
    if (await isReleased(installed, architecture)) return programs;
    throw damaged(installed, [manifestFile]);
  }
  const built = await builtPrograms(options.checkout ?? dirname(dirname(packageDirectory())));
  if (built !== null) return await checkPrograms(built, version, architecture);
  throw await missingPrograms(architecture, version);
}

async function missingPrograms(architecture: string, version: string): Promise<SandkubeError> {
  if (!releasedArchitectures.some((released) => released === architecture)) {
    return new SandkubeError(
      "E_ARCHITECTURE",
      `sandkube has no programs for linux-${architecture}, only for ${releasedArchitectures.map((released) => `linux-${released}`).join(" and ")}`,
      {
        hint: "Run sandkube on such a machine, or build the programs from source and set SANDKUBE_PROGRAMS to their directory.",
        details: { architecture },
      },
    );
  }
  const absence = await explainAbsence(architecture, version);
  const name = platformPackage(architecture);
  const message = `sandkube's programs for linux-${architecture} are not installed`;
  if (absence === null) {
    return new SandkubeError("E_PROGRAMS_MISSING", message, {
      hint: `Install the package ${name}; in a source checkout run \`npm run build:programs\`; or set SANDKUBE_PROGRAMS to their directory.`,
      details: { package: name },
    });
  }
  const { cause, command } = absence;
  return new SandkubeError(
    "E_PROGRAMS_MISSING",
    `${message}: the package ${name} is not there; ${cause}`,
    { hint: `Run \`${command}\`.`, details: { package: name, cause, command } },
  );
}

async function builtPrograms(checkout: string): Promise<string | null> {
  const pointer = join(checkout, ".programs");
  const directory = (await readFileIfExists(pointer))?.trim();
  if (directory === undefined || directory === "") return null;
  if (!isAbsolute(directory)) {
    throw new SandkubeError("E_PROGRAMS_MISMATCH", `${pointer} does not hold an absolute path`, {
      hint: "Run `npm run build:programs` again.",
    });
  }
  return directory;
}

async function checkPrograms(
  directory: string,
  version: string,
  architecture: string,
): Promise<Programs> {
  const path = (name: string) => join(directory, name);
  const names = [...programNames, ...dataFiles];
  const present = await Promise.all(names.map((name) => exists(path(name))));
  const missing = names.filter((_, index) => !present[index]);
  if (missing.length > 0) {
    throw new SandkubeError(
      "E_PROGRAMS_MISSING",
      `the programs directory ${directory} has no ${missing.join(", ")}`,
      { hint: "Build or install the programs again.", details: { directory, missing } },
    );
  }
  const manifest = await readManifest(directory);
  if (manifest.version !== version) {
    throw new SandkubeError(
      "E_PROGRAMS_MISMATCH",
      `the programs in ${directory} have version ${manifest.version}, this is sandkube ${version}`,
      {
        hint: "Install both of the same version.",
        details: { directory, programs: manifest.version, package: version },
      },
    );
  }
  if (manifest.architecture !== architecture) {
    throw new SandkubeError(
      "E_ARCHITECTURE",
      `the programs in ${directory} are for linux-${manifest.architecture}, this is linux-${architecture}`,
      {
        hint: `Install ${platformPackage(architecture)}, or set SANDKUBE_PROGRAMS to programs for this processor.`,
        details: { directory, programs: manifest.architecture, architecture },
      },
    );
  }
  const wrong = await filesOfWrongSize(directory, manifest);
  if (wrong.length > 0) throw damaged(directory, wrong);
  await requireExecutable(directory);
  return { directory, version, components: manifest.components, path };
}

async function requireExecutable(directory: string): Promise<void> {
  const files = programNames.map((name) => join(directory, name));
  const usable = await Promise.all(files.map(isExecutable));
  const unusable = programNames.filter((_, index) => !usable[index]);
  if (unusable.length === 0) return;
  const modes = await Promise.all(
    unusable.map(async (name) => (await fs.stat(join(directory, name))).mode & executableModeBits),
  );
  const reason = modes.some((bits) => bits === 0)
    ? "they lost their executable bits, as copies and some archives do"
    : "this user may not, or the file system is mounted noexec";
  throw new SandkubeError(
    "E_NOT_EXECUTABLE",
    `${unusable.join(", ")} in ${directory} can not be executed: ${reason}`,
    {
      hint: "`sandkube programs install` makes a checked copy in the data directory that is used from then on.",
      details: { directory, unusable, command: "sandkube programs install" },
    },
  );
}

/** The error for files that are not what they should be. */
export function damaged(directory: string, files: readonly string[]): SandkubeError {
  return new SandkubeError(
    "E_PROGRAMS_MISMATCH",
    `the programs in ${directory} are damaged: ${files.join(", ")}`,
    { hint: "Build or install the programs again.", details: { directory, files } },
  );
}
