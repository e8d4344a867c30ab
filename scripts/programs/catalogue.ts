import { containerdStamps, goBuild, goVersion, ownStamps, runtimeStamps } from "./go-build.js";
import { goSources } from "./go-sources.js";
import { pauseImage } from "./pause.js";
import type { Program } from "./program.js";
import { repositoryPath } from "./repository.js";
import { runc } from "./runc.js";
import type { Versions } from "./versions.js";

interface Estimate {
  readonly coldSeconds: number;
  readonly warmSeconds: number;
}

/** All build results, in the order of building: each after those it uses, the quick ones first. */
export async function catalogue(versions: Versions): Promise<Program[]> {
  const toolchain = [await goVersion(repositoryPath("runtime")), process.arch];
  const own = (name: string, stamps: string[], estimate: Estimate, shipped = true) =>
    ownProgram(name, stamps, toolchain, estimate, shipped);
  const imageArchive = own("image-archive", [], { coldSeconds: 10, warmSeconds: 1 }, false);
  return [
    imageArchive,
    own("sandkube-supervisor", ownStamps(versions), { coldSeconds: 10, warmSeconds: 1 }),
    own("sandkube-oci", ownStamps(versions), { coldSeconds: 10, warmSeconds: 2 }),
    pauseImage(versions, imageArchive),
    runc([...toolchain, versions.components.runc]),
    shim(versions, toolchain),
    containerd(versions, toolchain),
    network(versions, toolchain),
    own("sandkube-runtime", runtimeStamps(versions), { coldSeconds: 480, warmSeconds: 15 }),
  ];
}

function ownProgram(
  name: string,
  linkerFlags: string[],
  toolchain: readonly string[],
  estimate: Estimate,
  shipped: boolean,
): Program {
  return {
    name,
    shipped,
    executable: true,
    recipe: async () => ({
      files: [
        ...(await goSources(`runtime/cmd/${name}`)),
        "runtime/go.mod",
        "runtime/go.sum",
        "scripts/programs/go-build.ts",
      ],
      facts: [...toolchain, ...linkerFlags],
    }),
    ...estimate,
    build: ({ output }) =>
      goBuild({ module: repositoryPath("runtime"), package: `./cmd/${name}`, output, linkerFlags }),
  };
}

const networkModule = "runtime/network";

/** The pod network's program is a module of its own: CoreDNS wants newer libraries than Kubernetes. */
function network(versions: Versions, toolchain: readonly string[]): Program {
  const linkerFlags = ownStamps(versions);
  return {
    name: "sandkube-network",
    shipped: true,
    executable: true,
    recipe: async () => ({
      files: [
        ...(await goSources(networkModule)),
        `${networkModule}/go.mod`,
        `${networkModule}/go.sum`,
        "scripts/programs/go-build.ts",
      ],
      facts: [...toolchain, ...linkerFlags],
    }),
    coldSeconds: 120,
    warmSeconds: 6,
    build: ({ output }) =>
      goBuild({ module: repositoryPath(networkModule), package: ".", output, linkerFlags }),
  };
}

const containerdModule = "runtime/upstream/containerd";

function shim(versions: Versions, toolchain: readonly string[]): Program {
  const linkerFlags = containerdStamps(versions);
  return {
    name: "containerd-shim-runc-v2",
    shipped: true,
    executable: true,
    recipe: async () => ({
      files: [
        `${containerdModule}/go.mod`,
        `${containerdModule}/go.sum`,
        "scripts/programs/go-build.ts",
      ],
      facts: [...toolchain, ...linkerFlags],
    }),
    coldSeconds: 40,
    warmSeconds: 2,
    build: ({ output }) =>
      goBuild({
        module: repositoryPath(containerdModule),
        package: "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
        output,
        linkerFlags,
      }),
  };
}

function containerd(versions: Versions, toolchain: readonly string[]): Program {
  const linkerFlags = containerdStamps(versions);
  return {
    name: "sandkube-containerd",
    shipped: true,
    executable: true,
    recipe: async () => ({
      files: [
        `${containerdModule}/go.mod`,
        `${containerdModule}/go.sum`,
        `${containerdModule}/main.go`,
        `${containerdModule}/plugins.go`,
        "scripts/programs/go-build.ts",
      ],
      facts: [...toolchain, ...linkerFlags],
    }),
    coldSeconds: 80,
    warmSeconds: 4,
    build: ({ output }) =>
      goBuild({
        module: repositoryPath(containerdModule),
        package: ".",
        output,
        linkerFlags,
        arguments: ["-tags=no_tracing"],
      }),
  };
}
