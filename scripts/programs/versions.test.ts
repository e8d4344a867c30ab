import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { repositoryPath } from "./repository.js";
import { readVersions } from "./versions.js";

/** The version that a go.mod file requires of a module. */
function required(goMod: string, module: string): string | undefined {
  const text = readFileSync(repositoryPath(goMod), "utf8");
  return text
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .find((words) => words[0] === module && words[1]?.startsWith("v"))?.[1];
}

const { version, components } = readVersions();

test.each([
  ["runtime/go.mod", "k8s.io/kubernetes", components.kubernetes],
  ["runtime/go.mod", "k8s.io/api", components.kubernetes.replace(/^v1/, "v0")],
  ["runtime/go.mod", "go.etcd.io/etcd/server/v3", components.etcd],
  ["runtime/go.mod", "helm.sh/helm/v4", components.helm],
  [
    "runtime/upstream/containerd/go.mod",
    "github.com/containerd/containerd/v2",
    components.containerd,
  ],
  ["runtime/upstream/runc/go.mod", "github.com/opencontainers/runc", components.runc],
])("%s requires %s at the version of versions.json", (goMod, module, expected) => {
  expect(required(goMod, module)).toBe(expected);
});

test("the npm package has the version of versions.json", () => {
  const manifest = readFileSync(repositoryPath("packages/sandkube/package.json"), "utf8");
  expect((JSON.parse(manifest) as { version: string }).version).toBe(version);
});

test("the pause image is the one that the runtime tells containerd to use", () => {
  const config = readFileSync(repositoryPath("runtime/internal/containerd/config.go"), "utf8");
  expect(config).toContain(`"sandkube.local/pause:${components.pause}"`);
});
