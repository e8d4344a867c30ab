import { copyFile, cp, mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { controlPlanePolls } from "../../runtime/upstream/patches/control-plane-polls.js";
import { fewerWakeUps } from "../../runtime/upstream/patches/fewer-wake-ups.js";
import { openapiOnRequest } from "../../runtime/upstream/patches/openapi-on-request.js";
import { volumeLoops } from "../../runtime/upstream/patches/volume-loops.js";
import type { Architecture } from "./architecture.js";
import { run } from "./command.js";
import { goBuild, goModuleDirectory, runtimeStamps } from "./go-build.js";
import { goSources } from "./go-sources.js";
import { applyPatches } from "./patching.js";
import type { BuildContext, Program } from "./program.js";
import { repositoryPath } from "./repository.js";
import type { Versions } from "./versions.js";

const module = "runtime";
const moduleFiles = [`${module}/go.mod`, `${module}/go.sum`] as const;
const patches = [...controlPlanePolls, ...fewerWakeUps, ...openapiOnRequest, ...volumeLoops];

/** All of Kubernetes and etcd in one program, with patches of some of their modules. */
export function runtime(
  versions: Versions,
  facts: readonly string[],
  architecture: Architecture,
): Program {
  const linkerFlags = runtimeStamps(versions);
  return {
    name: "sandkube-runtime",
    shipped: true,
    executable: true,
    recipe: async () => ({
      files: [
        ...(await goSources("runtime/cmd/sandkube-runtime")),
        ...moduleFiles,
        "runtime/upstream/patches/control-plane-polls.ts",
        "runtime/upstream/patches/fewer-wake-ups.ts",
        "runtime/upstream/patches/openapi-on-request.ts",
        "runtime/upstream/patches/volume-loops.ts",
        "scripts/programs/runtime.ts",
        "scripts/programs/go-build.ts",
      ],
      facts: [...facts, ...linkerFlags],
    }),
    coldSeconds: 480,
    warmSeconds: 20,
    build: (context) => build(context, architecture, linkerFlags),
  };
}

/**
 * Builds with copies of the patched modules in place of those in Go's module cache, which Go refuses
 * to overlay. Vendoring all that the runtime links for a few files would take longer than the build.
 */
async function build(
  { output, scratch }: BuildContext,
  architecture: Architecture,
  linkerFlags: readonly string[],
): Promise<void> {
  const directory = repositoryPath(module);
  const copies = join(scratch, "modules");
  const patched = [...new Set(patches.map((patch) => patch.module))];
  for (const path of patched) {
    await copyModule(await goModuleDirectory(directory, path), join(copies, path));
  }
  await applyPatches(copies, patches);
  for (const file of moduleFiles) {
    await copyFile(repositoryPath(file), join(scratch, basename(file)));
  }
  const modfile = join(scratch, "go.mod");
  const replacements = patched.map((path) => `-replace=${path}=${join(copies, path)}`);
  await run(["go", "mod", "edit", ...replacements, modfile]);
  await goBuild({
    module: directory,
    package: "./cmd/sandkube-runtime",
    output,
    architecture,
    linkerFlags,
    arguments: [`-modfile=${modfile}`],
  });
}

/** Copies a module out of Go's cache, where all is read-only. */
async function copyModule(source: string, copy: string): Promise<void> {
  await mkdir(dirname(copy), { recursive: true });
  await cp(source, copy, { recursive: true });
  await run(["chmod", "-R", "u+w", copy]);
}
