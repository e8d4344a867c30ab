import { architectureNames, hostArchitecture, type Architecture } from "./architecture.js";
import { run } from "./command.js";
import type { Versions } from "./versions.js";

const reproducible = ["-trimpath", "-buildvcs=false"] as const;

/** A fixed environment: the caller's GOFLAGS or workspace must not change what is built. */
const fixedEnvironment = { GOFLAGS: "", GOWORK: "off" } as const;

export interface GoBuild {
  /** Directory of the module, absolute. */
  readonly module: string;
  /** Import path, or a path that starts with "./". */
  readonly package: string;
  readonly output: string;
  /** The processor that the program is for; by default this machine's. */
  readonly architecture?: Architecture;
  /** Linker flags beside those that every program gets. */
  readonly linkerFlags?: readonly string[];
  /** Further arguments of `go build`. */
  readonly arguments?: readonly string[];
  readonly cgo?: boolean;
  /** Added to the environment, for a C compiler of another processor. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** The version of Go that the runtime's modules are built with, such as "go1.26.8". */
export async function goVersion(module: string): Promise<string> {
  return (
    await run(["go", "env", "GOVERSION"], { cwd: module, environment: fixedEnvironment })
  ).trim();
}

export async function goBuild(build: GoBuild): Promise<void> {
  const linkerFlags = ["-s", "-w", "-buildid=", ...(build.linkerFlags ?? [])].join(" ");
  await run(
    [
      "go",
      "build",
      ...reproducible,
      ...(build.arguments ?? []),
      "-ldflags",
      linkerFlags,
      "-o",
      build.output,
      build.package,
    ],
    {
      cwd: build.module,
      environment: {
        ...fixedEnvironment,
        ...build.environment,
        GOARCH: architectureNames[build.architecture ?? hostArchitecture()].go,
        CGO_ENABLED: build.cgo === true ? "1" : "0",
      },
    },
  );
}

/** Directory of a module's source in Go's module cache, downloaded if need be. */
export async function goModuleDirectory(module: string, path: string): Promise<string> {
  const output = await run(["go", "mod", "download", "-json", path], {
    cwd: module,
    environment: fixedEnvironment,
  });
  return (JSON.parse(output) as { Dir: string }).Dir;
}

/** Fills a module's vendor directory. */
export async function goVendor(module: string): Promise<void> {
  await run(["go", "mod", "vendor"], { cwd: module, environment: fixedEnvironment });
}

/**
 * Linker flags that set the version variables of sandkube and of the upstream parts in
 * sandkube-runtime. Without them Kubernetes reports v0.0.0, which breaks discovery and skew checks.
 */
export function runtimeStamps(versions: Versions): string[] {
  const kubernetes = versions.components.kubernetes;
  const [major = "", minor = ""] = kubernetes.slice(1).split(".");
  const upstream = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap(
    (path) => [
      stamp(`${path}.gitVersion`, kubernetes),
      stamp(`${path}.gitMajor`, major),
      stamp(`${path}.gitMinor`, minor),
      // Go modules carry no commit.
      stamp(`${path}.gitCommit`, ""),
      stamp(`${path}.gitTreeState`, "clean"),
      stamp(`${path}.buildDate`, "1970-01-01T00:00:00Z"),
    ],
  );
  return [
    ...ownStamps(versions),
    ...upstream,
    stamp("helm.sh/helm/v4/internal/version.version", versions.components.helm),
  ];
}

export function ownStamps(versions: Versions): string[] {
  return [stamp("sandkube.dev/runtime/internal/version.Version", versions.version)];
}

export function containerdStamps(versions: Versions): string[] {
  const path = "github.com/containerd/containerd/v2/version";
  return [stamp(`${path}.Version`, versions.components.containerd)];
}

function stamp(variable: string, value: string): string {
  return `-X=${variable}=${value}`;
}
