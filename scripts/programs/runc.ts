import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { anyProcRoot } from "../../runtime/upstream/patches/any-proc-root.js";
import { ociAdapter } from "../../runtime/upstream/patches/oci-adapter.js";
import type { Architecture } from "./architecture.js";
import { cToolchain } from "./c-toolchain.js";
import { goBuild, goVendor } from "./go-build.js";
import { applyPatches } from "./patching.js";
import type { BuildContext, Program } from "./program.js";
import { copyModuleFiles, upstreamModuleFiles } from "./upstream-module.js";

const module = "runtime/upstream/runc";

/**
 * runc with libseccomp, linked statically: the one program that needs a C compiler. Its main
 * begins with the OCI adapter.
 */
export function runc(facts: readonly string[], architecture: Architecture): Program {
  return {
    name: "runc",
    shipped: true,
    executable: true,
    recipe: async () => ({
      files: [
        ...(await sources()),
        "runtime/upstream/patches/any-proc-root.ts",
        "runtime/upstream/patches/oci-adapter.ts",
        "scripts/programs/runc.ts",
        "scripts/programs/go-build.ts",
      ],
      facts,
    }),
    coldSeconds: 60,
    warmSeconds: 25,
    build: (context) => build(context, architecture),
  };
}

async function build(
  { output, scratch, report }: BuildContext,
  architecture: Architecture,
): Promise<void> {
  const { environment } = await cToolchain(architecture, scratch, report);
  const patched = join(scratch, "module");
  await copyModuleFiles(module, await sources(), patched);
  // Go refuses to overlay files of its module cache; vendored copies can be patched.
  await goVendor(patched);
  await applyPatches(join(patched, "vendor"), [...anyProcRoot, ...ociAdapter]);
  await goBuild({
    module: patched,
    package: "github.com/opencontainers/runc",
    output,
    architecture,
    cgo: true,
    environment,
    arguments: ["-mod=vendor", "-tags=seccomp,urfave_cli_no_docs,osusergo,netgo"],
    linkerFlags: ["-linkmode=external", "-extldflags=-static"],
  });
  // The binding's functions are named in the function table of a Go program, stripped or not.
  const program = await readFile(output);
  if (!program.includes("seccomp_init")) throw new Error("runc was built without libseccomp");
}

function sources(): Promise<string[]> {
  return upstreamModuleFiles(module, [`${module}/ociadapter`]);
}
