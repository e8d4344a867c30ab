import { hostArchitecture, type Architecture } from "./architecture.js";
import { containerd, shim } from "./containerd.js";
import { goBuild, goVersion, ownStamps } from "./go-build.js";
import { goSources } from "./go-sources.js";
import { pauseImage } from "./pause.js";
import type { Program } from "./program.js";
import { repositoryPath } from "./repository.js";
import { runc } from "./runc.js";
import { runtime } from "./runtime.js";
import type { Versions } from "./versions.js";

interface Estimate {
  readonly coldSeconds: number;
  readonly warmSeconds: number;
}

/** What all programs of a catalogue are built with and for. */
interface Target {
  readonly architecture: Architecture;
  /** What a program's key depends on beside its sources. */
  readonly facts: readonly string[];
}

/**
 * All build results for a processor, in the order of building: each after those it uses, the quick
 * ones first. Tools of the build are for this machine.
 */
export async function catalogue(
  versions: Versions,
  architecture: Architecture = hostArchitecture(),
): Promise<Program[]> {
  const go = await goVersion(repositoryPath("runtime"));
  const targetOf = (processor: Architecture): Target => ({
    architecture: processor,
    facts: [go, processor],
  });
  const target = targetOf(architecture);
  const own = (name: string, stamps: string[], estimate: Estimate) =>
    ownProgram(name, stamps, target, estimate, true);
  const imageArchive = ownProgram(
    "image-archive",
    [],
    targetOf(hostArchitecture()),
    { coldSeconds: 10, warmSeconds: 1 },
    false,
  );
  return [
    imageArchive,
    own("sandkube-supervisor", ownStamps(versions), { coldSeconds: 10, warmSeconds: 1 }),
    own("sandkube-oci", ownStamps(versions), { coldSeconds: 10, warmSeconds: 2 }),
    pauseImage(versions, imageArchive, architecture),
    runc([...target.facts, versions.components.runc], architecture),
    shim(versions, target.facts, architecture),
    containerd(versions, target.facts, architecture),
    network(versions, target),
    runtime(versions, target.facts, architecture),
  ];
}

function ownProgram(
  name: string,
  linkerFlags: string[],
  target: Target,
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
      facts: [...target.facts, ...linkerFlags],
    }),
    ...estimate,
    build: ({ output }) =>
      goBuild({
        module: repositoryPath("runtime"),
        package: `./cmd/${name}`,
        output,
        architecture: target.architecture,
        linkerFlags,
      }),
  };
}

const networkModule = "runtime/network";

/** The pod network's program is a module of its own: CoreDNS wants newer libraries than Kubernetes. */
function network(versions: Versions, target: Target): Program {
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
      facts: [...target.facts, ...linkerFlags],
    }),
    coldSeconds: 120,
    warmSeconds: 6,
    build: ({ output }) =>
      goBuild({
        module: repositoryPath(networkModule),
        package: ".",
        output,
        architecture: target.architecture,
        linkerFlags,
      }),
  };
}
