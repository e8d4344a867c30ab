import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "../../lab/src/cache.js";
import { goBuild, goVersion, runtimeStamps } from "../../scripts/programs/go-build.js";
import { repositoryPath } from "../../scripts/programs/repository.js";
import { requireStaticProgram } from "../../scripts/programs/static-program.js";
import { readVersions } from "../../scripts/programs/versions.js";

/** Directories of the programs that kwokctl runs, and of kwokctl itself. */
export interface PeerPrograms {
  /** kwokctl, kwok, etcd */
  readonly kwok: string;
  /** Kubernetes' own kube-apiserver, kube-controller-manager, kube-scheduler, kubectl */
  readonly kubernetes: string;
}

interface ProgramSet {
  readonly name: string;
  /** Directory of the Go module that pins the versions. */
  readonly module: string;
  /** Import path by program. */
  readonly packages: Readonly<Record<string, string>>;
  readonly linkerFlags: readonly string[];
}

const kwokSet: ProgramSet = {
  name: "bench-kwok",
  module: repositoryPath("bench/kwok"),
  packages: {
    kwokctl: "sigs.k8s.io/kwok/cmd/kwokctl",
    kwok: "sigs.k8s.io/kwok/cmd/kwok",
    etcd: "go.etcd.io/etcd/server/v3",
  },
  linkerFlags: [],
};

const kubernetesPrograms = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubectl",
] as const;

/** Kubernetes' programs from the very module that sandkube is built from, with the same stamps. */
function kubernetesSet(): ProgramSet {
  return {
    name: "bench-kubernetes",
    module: repositoryPath("runtime"),
    packages: Object.fromEntries(
      kubernetesPrograms.map((name) => [name, `k8s.io/kubernetes/cmd/${name}`]),
    ),
    linkerFlags: runtimeStamps(readVersions()),
  };
}

/** Builds what is not in the cache yet, which takes minutes; static programs, as sandkube's. */
export async function peerPrograms(
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<PeerPrograms> {
  return {
    kwok: await build(kwokSet, signal, report),
    kubernetes: await build(kubernetesSet(), signal, report),
  };
}

async function build(
  set: ProgramSet,
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<string> {
  const content = (name: string) => readFile(join(set.module, name), "utf8");
  return await cached({
    name: set.name,
    recipe: {
      form: 1,
      module: await content("go.mod"),
      sums: await content("go.sum"),
      packages: Object.entries(set.packages).flat(),
      linkerFlags: set.linkerFlags,
      go: await goVersion(set.module),
      architecture: process.arch,
    },
    signal,
    build: async (directory) => {
      for (const [name, path] of Object.entries(set.packages)) {
        signal.throwIfAborted();
        report(`building ${name}`);
        const output = join(directory, `${name}.building`);
        await goBuild({
          module: set.module,
          package: path,
          output,
          linkerFlags: set.linkerFlags,
        });
        await requireStaticProgram(output);
        await rename(output, join(directory, name));
      }
    },
  });
}
