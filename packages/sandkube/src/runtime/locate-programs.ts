import { createRequire } from "node:module";
import { dirname, isAbsolute, join } from "node:path";
import { z } from "zod";
import { SandkubeError } from "../errors.js";
import { exists, isExecutable, readFileIfExists } from "../platform/files.js";
import { packageDirectory } from "./package-directory.js";

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
const dataFiles = ["pause.tar", "programs.json"] as const;

const manifestSchema = z.object({
  version: z.string(),
  components: z.record(z.string(), z.string()),
  sha256: z.record(z.string(), z.string()),
});

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
  /** The version that the programs must have. */
  version: string;
  /** Root of the source checkout that may hold a `.programs` file; by default the one that this package is in. */
  checkout?: string;
}

/**
 * Finds the programs: where SANDKUBE_PROGRAMS says, else in the installed platform
 * package, else in the cache that the checkout's `.programs` file points at.
 * Throws E_NOT_LINUX, E_PROGRAMS_MISSING or E_PROGRAMS_MISMATCH.
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
  const directory =
    options.override ??
    platformPackageDirectory() ??
    (await checkoutDirectory(options.checkout ?? dirname(dirname(packageDirectory()))));
  if (directory === null) {
    throw new SandkubeError(
      "E_PROGRAMS_MISSING",
      `sandkube's programs for linux-${process.arch} are not installed`,
      {
        hint: `Install the package ${platformPackage()}; in a source checkout run \`npm run build:programs\`; or set SANDKUBE_PROGRAMS to their directory.`,
      },
    );
  }
  return await checkPrograms(directory, options.version);
}

function platformPackage(): string {
  return `@sandkube/runtime-linux-${process.arch}`;
}

function platformPackageDirectory(): string | null {
  try {
    const manifest = createRequire(import.meta.url).resolve(`${platformPackage()}/package.json`);
    return join(dirname(manifest), "bin");
  } catch {
    return null;
  }
}

async function checkoutDirectory(checkout: string): Promise<string | null> {
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

async function checkPrograms(directory: string, version: string): Promise<Programs> {
  const path = (name: string) => join(directory, name);
  const files = await Promise.all([
    ...programNames.map(async (name) => ({ name, usable: await isExecutable(path(name)) })),
    ...dataFiles.map(async (name) => ({ name, usable: await exists(path(name)) })),
  ]);
  const missing = files.flatMap(({ name, usable }) => (usable ? [] : [name]));
  if (missing.length > 0) {
    throw new SandkubeError(
      "E_PROGRAMS_MISSING",
      `the programs directory ${directory} has no usable ${missing.join(", ")}`,
      {
        hint: "Build or install the programs again; if the files are there, check that the file system is not mounted noexec.",
        details: { directory, missing },
      },
    );
  }
  const manifest = await readManifest(path("programs.json"));
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
  return { directory, version: manifest.version, components: manifest.components, path };
}

async function readManifest(file: string): Promise<z.infer<typeof manifestSchema>> {
  try {
    return manifestSchema.parse(JSON.parse((await readFileIfExists(file)) ?? ""));
  } catch (cause) {
    throw new SandkubeError("E_PROGRAMS_MISMATCH", `${file} is unreadable`, {
      hint: "Build or install the programs again.",
      details: { file },
      cause,
    });
  }
}
