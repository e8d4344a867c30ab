import { copyFile, mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { anyProcRoot } from "../../runtime/upstream/patches/any-proc-root.js";
import { run } from "./command.js";
import { ensureStaticToolchain } from "./debian-packages.js";
import { goBuild, goVendor } from "./go-build.js";
import { applyPatches } from "./patching.js";
import type { BuildContext, Program } from "./program.js";
import { repositoryPath } from "./repository.js";

const moduleFiles = ["runtime/upstream/runc/go.mod", "runtime/upstream/runc/go.sum"] as const;

/** runc with libseccomp, linked statically: the one program that needs a C compiler. */
export function runc(facts: readonly string[]): Program {
  return {
    name: "runc",
    shipped: true,
    executable: true,
    recipe: async () => ({
      files: [
        ...moduleFiles,
        "runtime/upstream/patches/any-proc-root.ts",
        "scripts/programs/runc.ts",
        "scripts/programs/go-build.ts",
      ],
      facts,
    }),
    coldSeconds: 60,
    warmSeconds: 25,
    build,
  };
}

async function build({ output, scratch, report }: BuildContext): Promise<void> {
  await ensureStaticToolchain(report);
  const module = join(scratch, "module");
  await mkdir(module);
  for (const file of moduleFiles)
    await copyFile(repositoryPath(file), join(module, basename(file)));
  // Go refuses to overlay files of its module cache; vendored copies can be patched.
  await goVendor(module);
  await applyPatches(join(module, "vendor"), anyProcRoot);
  await goBuild({
    module,
    package: "github.com/opencontainers/runc",
    output,
    cgo: true,
    arguments: ["-mod=vendor", "-tags=seccomp,urfave_cli_no_docs,osusergo,netgo"],
    linkerFlags: ["-linkmode=external", "-extldflags=-static"],
  });
  const version = await run([output, "--version"]);
  if (!version.includes("libseccomp"))
    throw new Error(`runc was built without libseccomp:\n${version}`);
}
