import { expect, test } from "vitest";
import { modulesOf } from "./go-notices.js";
import { cliManifest, runtimeManifest } from "./manifests.js";
import { checkBudget, packedBudgetBytes } from "./tarball.js";

test("sandkube is published without scripts and with the programs of its own version", () => {
  const manifest = cliManifest();
  expect(manifest).not.toHaveProperty("scripts");
  expect(manifest).not.toHaveProperty("private");
  expect(manifest).not.toHaveProperty("dependencies");
  const version = manifest["version"];
  expect(manifest["optionalDependencies"]).toEqual({
    "@sandkube/runtime-linux-x64": version,
    "@sandkube/runtime-linux-arm64": version,
  });
});

test("a package with programs is for one kind of machine and keeps their executable bits", () => {
  expect(runtimeManifest("arm64", ["runc"])).toMatchObject({
    name: "@sandkube/runtime-linux-arm64",
    version: cliManifest()["version"],
    os: ["linux"],
    cpu: ["arm64"],
    publishConfig: { executableFiles: ["./bin/runc"] },
  });
});

test("a package above the budget is refused with both sizes", () => {
  checkBudget("some", packedBudgetBytes);
  expect(() => checkBudget("some", packedBudgetBytes + 100_000)).toThrow(
    "some weighs 100.1 MB packed; at most 100.0 MB are allowed",
  );
});

test("the modules of programs are read with their replacements, our own left out", () => {
  const described = [
    "/programs/one: go1.26.8",
    "\tpath\tsandkube.dev/runtime/cmd/one",
    "\tmod\tsandkube.dev/runtime\t(devel)\t",
    "\tdep\tk8s.io/api\tv0.0.0",
    "\t=>\tk8s.io/api\tv0.36.4\th1:abc=",
    "\tdep\tsandkube.dev/runtime\tv0.0.0",
    "\t=>\t../\t(devel)\t",
    "/programs/two: go1.26.8",
    "\tmod\tgithub.com/opencontainers/runc\tv1.3.6",
    "\tdep\tk8s.io/api\tv0.36.4\th1:abc=",
    "\tbuild\tCGO_ENABLED=0",
  ].join("\n");
  expect(modulesOf(described)).toEqual([
    { path: "github.com/opencontainers/runc", version: "v1.3.6" },
    { path: "k8s.io/api", version: "v0.36.4" },
  ]);
});
