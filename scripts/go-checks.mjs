/** The project's Go modules and the checks on them, tests apart. */
import { join } from "node:path";
import { checkout, command, SetUpError } from "./set-up.mjs";

/**
 * Environment of every Go command of the tests: the flags that the programs are built with, because
 * Go's build cache holds Kubernetes once for each set of flags.
 */
export const goEnvironment = { GOFLAGS: "-trimpath", GOWORK: "off", CGO_ENABLED: "0" };

/** Modules with the packages of our own; `./...` in runtime would be the same, and say less. */
export const goModules = [
  { directory: "runtime", packages: ["./internal/...", "./cmd/..."] },
  { directory: "runtime/network", packages: ["./..."] },
  { directory: "runtime/upstream/containerd", packages: ["./..."] },
  { directory: "runtime/upstream/runc", packages: ["./..."] },
  { directory: "bench/apart", packages: ["."] },
  { directory: "examples/hello", packages: ["."] },
  { directory: "e2e/images/outside", packages: ["."] },
];

const tools = join(checkout, "runtime/tools/go.mod");

const go = (directory, args, options = {}) =>
  command("go", args, {
    cwd: join(checkout, directory),
    environment: goEnvironment,
    ...options,
  });

export async function vet({ directory, packages }) {
  await go(directory, ["vet", ...packages]);
}

/**
 * Runs staticcheck, except on packages that embed Kubernetes or containerd: it would analyse all of
 * their thousands of packages from source.
 */
export async function staticcheck({ directory, packages }) {
  const format = '{{.ImportPath}} {{join .Deps " "}}';
  const listing = await go(directory, ["list", "-f", format, ...packages], { output: "return" });
  const light = listing
    .trim()
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, ...dependencies]) => !dependencies.some(isLarge))
    .map(([path]) => path);
  if (light.length === 0) return;
  await go(directory, ["tool", `-modfile=${tools}`, "staticcheck", ...light]);
}

function isLarge(dependency) {
  return /^(k8s\.io\/(kubernetes|apiserver|kubectl|client-go)|github\.com\/containerd\/containerd|helm\.sh)\//.test(
    dependency,
  );
}

export async function checkGofmt() {
  const directories = ["runtime", "bench", "examples", "e2e"];
  const unformatted = await command("gofmt", ["-l", ...directories], { output: "return" });
  if (unformatted !== "") throw new SetUpError(`gofmt would change:\n${unformatted}`);
}

/** Checks the syntax of the workflows: the project's own, and those that users copy. */
export async function checkWorkflows() {
  const workflows = [
    ".github/workflows/release.yml",
    "examples/github-actions/.github/workflows/chart.yml",
  ].map((path) => join(checkout, path));
  await go("runtime", ["tool", `-modfile=${tools}`, "actionlint", "-no-color", ...workflows]);
}
