import { join } from "node:path";
import { nodeNetwork } from "../../runtime/upstream/patches/node-network.js";
import { unpacking } from "../../runtime/upstream/patches/unpacking.js";
import type { Architecture } from "./architecture.js";
import { containerdStamps, goBuild, goVendor } from "./go-build.js";
import { applyPatches } from "./patching.js";
import type { Program } from "./program.js";
import { repositoryPath } from "./repository.js";
import { copyModuleFiles, upstreamModuleFiles } from "./upstream-module.js";
import type { Versions } from "./versions.js";

const module = "runtime/upstream/containerd";
const moduleFiles = [`${module}/go.mod`, `${module}/go.sum`] as const;

/** containerd's shim, as it is upstream. */
export function shim(
  versions: Versions,
  facts: readonly string[],
  architecture: Architecture,
): Program {
  const linkerFlags = containerdStamps(versions);
  return {
    name: "containerd-shim-runc-v2",
    shipped: true,
    executable: true,
    recipe: async () => ({
      files: [...moduleFiles, "scripts/programs/go-build.ts"],
      facts: [...facts, ...linkerFlags],
    }),
    coldSeconds: 40,
    warmSeconds: 2,
    build: ({ output }) =>
      goBuild({
        module: repositoryPath(module),
        package: "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
        output,
        architecture,
        linkerFlags,
      }),
  };
}

/** containerd and ctr in one program, with a smaller set of plugins and a few patches. */
export function containerd(
  versions: Versions,
  facts: readonly string[],
  architecture: Architecture,
): Program {
  const linkerFlags = containerdStamps(versions);
  return {
    name: "sandkube-containerd",
    shipped: true,
    executable: true,
    recipe: async () => ({
      files: [
        ...(await sources()),
        "runtime/upstream/patches/node-network.ts",
        "runtime/upstream/patches/unpacking.ts",
        "scripts/programs/containerd.ts",
        "scripts/programs/go-build.ts",
      ],
      facts: [...facts, ...linkerFlags],
    }),
    coldSeconds: 90,
    warmSeconds: 10,
    build: async ({ output, scratch }) => {
      const patched = join(scratch, "module");
      await copyModuleFiles(module, await sources(), patched);
      // Go refuses to overlay files of its module cache; vendored copies can be patched.
      await goVendor(patched);
      await applyPatches(join(patched, "vendor"), [...nodeNetwork, ...unpacking]);
      await goBuild({
        module: patched,
        package: ".",
        output,
        architecture,
        linkerFlags,
        arguments: ["-mod=vendor", "-tags=no_tracing"],
      });
    },
  };
}

function sources(): Promise<string[]> {
  return upstreamModuleFiles(module, [module, `${module}/layerfiles`]);
}
