import { readFileSync } from "node:fs";
import { architectures, type Architecture } from "../programs/architecture.js";
import { repositoryPath } from "../programs/repository.js";

/** A package.json, as far as the project writes one. */
export type Manifest = Readonly<Record<string, unknown>>;

const cliDirectory = "packages/sandkube";

/** The name of the package that holds the programs for a processor. */
export function runtimePackageName(architecture: Architecture): string {
  return `@sandkube/runtime-linux-${architecture}`;
}

/**
 * The manifest that the package `sandkube` is published with. It names the programs of its own version
 * as optional dependencies, of which a package manager installs the one that fits the machine. There are
 * no scripts, since package managers no longer run those of dependencies, and no other dependencies,
 * since the code is bundled.
 */
export function cliManifest(): Manifest {
  const {
    private: _private,
    scripts: _scripts,
    dependencies: _dependencies,
    devDependencies: _devDependencies,
    ...published
  } = readManifest(`${cliDirectory}/package.json`);
  const version = String(published["version"]);
  return {
    ...published,
    optionalDependencies: Object.fromEntries(
      architectures.map((architecture) => [runtimePackageName(architecture), version]),
    ),
    publishConfig: { access: "public" },
  };
}

/** The manifest of the package with the programs for a processor, given the names of the executables. */
export function runtimeManifest(
  architecture: Architecture,
  executables: readonly string[],
): Manifest {
  const { version, license, engines } = readManifest(`${cliDirectory}/package.json`);
  return {
    name: runtimePackageName(architecture),
    version,
    description: `The programs of sandkube for Linux on ${architecture}`,
    license,
    os: ["linux"],
    cpu: [architecture],
    files: ["bin", "THIRD-PARTY-NOTICES.txt"],
    engines,
    // Yarn would keep the files in a zip archive otherwise, from which nothing can be executed.
    preferUnplugged: true,
    publishConfig: {
      access: "public",
      // pnpm gives the executable bit to what is listed here only.
      executableFiles: executables.map((name) => `./bin/${name}`),
    },
  };
}

function readManifest(path: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(repositoryPath(path), "utf8")) as Record<string, unknown>;
}
