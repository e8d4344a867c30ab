import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { repositoryPath } from "./programs/repository.js";

const runtime = repositoryPath("runtime");

/** Packages that may import k8s.io/kubernetes, which costs every program that links it seconds and 100 MB. */
const mayEmbedKubernetes = ["cmd/sandkube-runtime", "internal/components/", "internal/cadvisor"];

function dependencies(packageDirectory: string, module = runtime): string[] {
  const output = execFileSync("go", ["list", "-deps", `./${packageDirectory}`], {
    cwd: module,
    encoding: "utf8",
    env: { ...process.env, GOFLAGS: "", GOWORK: "off", CGO_ENABLED: "0" },
  });
  return output.trim().split("\n");
}

/** A dot in the first element tells a module's package from the standard library's. */
function modulePackages(packages: readonly string[]): string[] {
  return packages.filter((path) => path.split("/")[0]?.includes("."));
}

test("only components import k8s.io/kubernetes", () => {
  const files = ["cmd", "internal"].flatMap((directory) =>
    readdirSync(join(runtime, directory), { encoding: "utf8", recursive: true })
      .filter((file) => file.endsWith(".go"))
      .map((file) => join(directory, file)),
  );
  expect(files).not.toEqual([]);
  const wrong = files.filter(
    (file) =>
      /^\s*(?:[\w.]+\s+)?"k8s\.io\/kubernetes\//m.test(
        readFileSync(repositoryPath("runtime", file), "utf8"),
      ) && !mayEmbedKubernetes.some((prefix) => `${dirname(file)}/`.startsWith(prefix)),
  );
  expect(wrong).toEqual([]);
});

test("sandkube-supervisor has no code but its own, the standard library's and x/sys", () => {
  const foreign = modulePackages(dependencies("cmd/sandkube-supervisor")).filter(
    (path) => !path.startsWith("sandkube.dev/runtime/") && !path.startsWith("golang.org/x/sys/"),
  );
  expect(foreign).toEqual([]);
});

test("sandkube-oci, which starts with every pod, has no Kubernetes or containerd code", () => {
  const heavy = modulePackages(dependencies("cmd/sandkube-oci")).filter((path) =>
    /^(k8s\.io|sigs\.k8s\.io|github\.com\/containerd\/containerd|google\.golang\.org\/grpc)\b/.test(
      path,
    ),
  );
  expect(heavy).toEqual([]);
});

test("the OCI adapter, a part of runc, brings no code into it but its own", () => {
  const foreign = modulePackages(dependencies("ociadapter", join(runtime, "upstream/runc"))).filter(
    (path) =>
      !path.startsWith("sandkube.dev/upstream/runc/") &&
      !path.startsWith("golang.org/x/sys/") &&
      path !== "github.com/opencontainers/runtime-spec/specs-go",
  );
  expect(foreign).toEqual([]);
});
