import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "../../lab/src/cache.js";
import { bootSandbox, type Sandbox, type SandboxKind } from "../../lab/src/index.js";
import { contentKey } from "../../scripts/programs/content-key.js";
import {
  containerdStamps,
  goBuild,
  goVersion,
  runtimeStamps,
} from "../../scripts/programs/go-build.js";
import { goSources } from "../../scripts/programs/go-sources.js";
import { repositoryPath } from "../../scripts/programs/repository.js";
import { requireStaticProgram } from "../../scripts/programs/static-program.js";
import { readVersions } from "../../scripts/programs/versions.js";

/** Directories of the peers' programs, all as upstream builds them but `apart`, which starts them. */
export interface PeerPrograms {
  /** kwokctl, kwok, etcd */
  readonly kwok: string;
  /** Kubernetes' own kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kubectl */
  readonly kubernetes: string;
  /** containerd with all of its plugins but the one for ZFS */
  readonly containerd: string;
  readonly coredns: string;
  readonly apart: string;
}

/** Where gVisor sandboxes see them. */
const insideDirectories: PeerPrograms = {
  kwok: "/opt/bench/kwok",
  kubernetes: "/opt/bench/kubernetes",
  containerd: "/opt/bench/containerd",
  coredns: "/opt/bench/coredns",
  apart: "/opt/bench/apart",
};

interface ProgramSet {
  readonly name: string;
  /** Directory of the Go module that pins the versions. */
  readonly module: string;
  /** Import path by program. */
  readonly packages: Readonly<Record<string, string>>;
  readonly linkerFlags: readonly string[];
  /** Further arguments of `go build`. */
  readonly arguments: readonly string[];
  /** Directory of the module in the checkout if its own code is part of the programs. */
  readonly sources?: string;
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
  arguments: [],
};

const kubernetesPrograms = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
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
    arguments: [],
  };
}

/** containerd from the very module that sandkube's is built from, unpatched. */
function containerdSet(): ProgramSet {
  return {
    name: "bench-containerd",
    module: repositoryPath("runtime/upstream/containerd"),
    packages: { containerd: "github.com/containerd/containerd/v2/cmd/containerd" },
    linkerFlags: containerdStamps(readVersions()),
    // Its plugin for ZFS is the one that comes from a module of its own.
    arguments: ["-tags=no_zfs"],
  };
}

const corednsSet: ProgramSet = {
  name: "bench-coredns",
  module: repositoryPath("bench/coredns"),
  packages: { coredns: "github.com/coredns/coredns" },
  linkerFlags: [],
  arguments: [],
};

const apartSet: ProgramSet = {
  name: "bench-apart",
  module: repositoryPath("bench/apart"),
  packages: { apart: "." },
  linkerFlags: [],
  arguments: [],
  sources: "bench/apart",
};

/** Builds what is not in the cache yet, which takes minutes; static programs, as sandkube's. */
export async function peerPrograms(
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<PeerPrograms> {
  return {
    kwok: await build(kwokSet, signal, report),
    kubernetes: await build(kubernetesSet(), signal, report),
    containerd: await build(containerdSet(), signal, report),
    coredns: await build(corednsSet, signal, report),
    apart: await build(apartSet, signal, report),
  };
}

/** Where the programs are for commands in a sandbox; `bare` has the paths of this machine. */
export function programsInside(kind: SandboxKind, programs: PeerPrograms): PeerPrograms {
  return kind === "bare" ? programs : insideDirectories;
}

/** Boots a sandbox that has the programs at {@link programsInside}. */
export async function bootWithPrograms(
  kind: SandboxKind,
  programs: PeerPrograms,
  options: { readonly imagesDirectory?: string; readonly signal: AbortSignal },
): Promise<Sandbox> {
  if (kind === "bare") return await bootSandbox({ kind, ...options });
  const names = Object.keys(programs) as (keyof PeerPrograms)[];
  const extraMounts = names.map((name) => ({
    source: programs[name],
    destination: insideDirectories[name],
  }));
  return await bootSandbox({ kind, extraMounts, ...options });
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
      arguments: set.arguments,
      sources: await ownSources(set),
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
          arguments: set.arguments,
        });
        await requireStaticProgram(output);
        await rename(output, join(directory, name));
      }
    },
  });
}

/** A key of the code in the checkout that goes into a set; empty when all of it is upstream's. */
async function ownSources({ sources }: ProgramSet): Promise<string> {
  if (sources === undefined) return "";
  return await contentKey({ files: await goSources(sources), facts: [] });
}
