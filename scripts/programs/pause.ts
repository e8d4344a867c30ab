import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { architectureNames, type Architecture } from "./architecture.js";
import { cToolchain } from "./c-toolchain.js";
import { run } from "./command.js";
import { contentKey } from "./content-key.js";
import { goModuleDirectory } from "./go-build.js";
import type { BuildContext, Program } from "./program.js";
import { repositoryPath } from "./repository.js";
import { requireStaticProgram } from "./static-program.js";
import type { Versions } from "./versions.js";

/** The pod sandbox image: Kubernetes' own pause.c, packed as an OCI archive. */
export function pauseImage(
  versions: Versions,
  imageArchive: Program,
  architecture: Architecture,
): Program {
  const version = versions.components.pause;
  return {
    name: "pause.tar",
    shipped: true,
    executable: false,
    recipe: async () => ({
      files: ["scripts/programs/pause.ts"],
      facts: [
        versions.components.kubernetes,
        version,
        architecture,
        await contentKey(await imageArchive.recipe()),
      ],
    }),
    uses: [imageArchive.name],
    coldSeconds: 3,
    warmSeconds: 1,
    build: (context) => build(context, version, architecture),
  };
}

async function build(
  context: BuildContext,
  version: string,
  architecture: Architecture,
): Promise<void> {
  const { compiler } = await cToolchain(architecture, context.scratch, context.report);
  const kubernetes = await goModuleDirectory(repositoryPath("runtime"), "k8s.io/kubernetes");
  const makefile = await readFile(join(kubernetes, "build/pause/Makefile"), "utf8");
  if (!makefile.includes(`TAG ?= ${version}\n`)) {
    throw new Error(
      `runtime/versions.json says pause ${version}, Kubernetes' build/pause/Makefile does not`,
    );
  }
  const program = join(context.scratch, "pause");
  const source = join(kubernetes, "build/pause/linux/pause.c");
  await run([
    compiler,
    "-Os",
    "-Wall",
    "-static",
    "-s",
    `-DVERSION=v${version}`,
    "-o",
    program,
    source,
  ]);
  await requireStaticProgram(program, architecture);
  await run([
    context.resultOf("image-archive"),
    ...["-o", context.output],
    ...["-ref", `sandkube.local/pause:${version}`],
    ...["-arch", architectureNames[architecture].go],
    ...["-entrypoint", "/pause"],
    ...["-user", "65535:65535"],
    ...["-file", `${program}:/pause:0755`],
  ]);
}
