import { createRequire } from "node:module";
import { basename, dirname, join, sep } from "node:path";
import { z } from "zod";
import { exists, readFileIfExists, sha256OfFile } from "../platform/files.js";
import { packageDirectory } from "./package-directory.js";
import { manifestFile } from "./programs-manifest.js";

/** The processors that a release has programs for, by Node's names. */
export const releasedArchitectures = ["x64", "arm64"] as const;

/** The npm package that holds the programs for a processor. */
export function platformPackage(architecture: string): string {
  return `@sandkube/runtime-linux-${architecture}`;
}

/** The programs directory of an installed platform package; null when the package is not there. */
export function installedPrograms(
  architecture: string,
  from: string = import.meta.url,
): string | null {
  try {
    const manifest = createRequire(from).resolve(`${platformPackage(architecture)}/package.json`);
    return join(dirname(manifest), "bin");
  } catch {
    return null;
  }
}

/**
 * Whether a directory holds the programs that this package was released with, going by the digest of
 * their manifest. True in a source checkout, which is no release.
 */
export async function isReleased(directory: string, architecture: string): Promise<boolean> {
  const text = await readFileIfExists(join(packageDirectory(), "dist", "programs.json"));
  if (text === null) return true;
  const digests = z.record(z.string(), z.string()).parse(JSON.parse(text));
  const expected = digests[`linux-${architecture}`];
  return expected === undefined || expected === (await sha256OfFile(join(directory, manifestFile)));
}

/** Why a platform package is not there, as far as its surroundings tell, and what installs it. */
export interface Absence {
  cause: string;
  command: string;
}

const lockFiles: readonly { name: string; manager: PackageManager }[] = [
  { name: "package-lock.json", manager: "npm" },
  { name: "npm-shrinkwrap.json", manager: "npm" },
  { name: "pnpm-lock.yaml", manager: "pnpm" },
  { name: "yarn.lock", manager: "yarn" },
  { name: "bun.lock", manager: "bun" },
];

type PackageManager = "npm" | "pnpm" | "yarn" | "bun";

const addOptional: Readonly<Record<PackageManager, string>> = {
  npm: "npm install --include=optional --save-optional",
  pnpm: "pnpm add --save-optional",
  yarn: "yarn add --optional",
  bun: "bun add --optional",
};

/**
 * Explains the absence of the package for a processor from where this package, of a version, lies.
 * Gives null when this package does not lie in a node_modules directory.
 */
export async function explainAbsence(
  architecture: string,
  version: string,
  directory: string = packageDirectory(),
): Promise<Absence | null> {
  const modules = outermostModules(directory);
  if (modules === null) return null;
  const project = dirname(modules);
  const wanted = `${platformPackage(architecture)}@${version}`;
  const other = releasedArchitectures.find(
    (candidate) => candidate !== architecture && installedPrograms(candidate, join(directory, "-")),
  );
  const lock = await lockFileIn(project);
  // npm keeps global packages in lib/node_modules, where there is neither manifest nor lock file.
  const isGlobal = basename(project) === "lib" && !(await exists(join(project, "package.json")));
  if (isGlobal) {
    return {
      cause:
        "npm left the optional package out, as --omit=optional or omit=optional in .npmrc asks for",
      command: `npm install --global ${wanted}`,
    };
  }
  const command = `${addOptional[lock?.manager ?? "npm"]} ${wanted}`;
  if (other !== undefined) {
    return {
      cause: `${modules} was made on another machine: it has the programs for linux-${other}`,
      command,
    };
  }
  if (
    lock !== null &&
    lock.text.includes("sandkube") &&
    !lock.text.includes(platformPackage(architecture))
  ) {
    return {
      cause: `${lock.file} was made on another platform: it does not name the package (npm/cli#4828)`,
      command,
    };
  }
  return {
    cause:
      "the optional package was left out, as --omit=optional or omit=optional in .npmrc asks for",
    command,
  };
}

/** The outermost node_modules directory of a path; null when it lies in none. */
function outermostModules(directory: string): string | null {
  const parts = directory.split(sep);
  const index = parts.indexOf("node_modules");
  return index < 0 ? null : parts.slice(0, index + 1).join(sep);
}

async function lockFileIn(
  project: string,
): Promise<{ file: string; manager: PackageManager; text: string } | null> {
  for (const { name, manager } of lockFiles) {
    const file = join(project, name);
    const text = await readFileIfExists(file);
    if (text !== null) return { file, manager, text };
  }
  return null;
}
