import { expect, test } from "vitest";
import { goSources } from "./go-sources.js";

test("lists a command's files and those of the packages that it imports", async () => {
  const sources = await goSources("runtime/cmd/image-archive");
  expect(sources).toContain("runtime/cmd/image-archive/main.go");
  expect(sources).toContain("runtime/internal/imagearchive/layer.go");
});

test("leaves tests and other packages out", async () => {
  const sources = await goSources("runtime/cmd/image-archive");
  expect(sources.filter((file) => file.endsWith("_test.go"))).toEqual([]);
  expect(sources.filter((file) => file.includes("nodespec"))).toEqual([]);
});

test("follows imports in the modules of upstream programs", async () => {
  const sources = await goSources("runtime/upstream/containerd");
  expect(sources).toContain("runtime/upstream/containerd/snapshots.go");
  expect(sources).toContain("runtime/upstream/containerd/imagestore/load.go");
  expect(await goSources("runtime/upstream/runc/ociadapter")).toContain(
    "runtime/upstream/runc/sysctl/bind.go",
  );
});
