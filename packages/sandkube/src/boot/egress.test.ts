import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { clusterPaths, type ClusterPaths } from "../state/cluster-paths.js";
import { makePrivateDirectory } from "../platform/files.js";
import { writeEgressChoices } from "../state/egress-choices.js";
import { tellEgressUnchanged } from "./egress.js";

let dataDirectory: string;
let paths: ClusterPaths;

beforeEach(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), "sandkube-egress-"));
  paths = clusterPaths(dataDirectory, "test");
  await makePrivateDirectory(paths.egressDirectory);
});

afterEach(async () => {
  await rm(dataDirectory, { recursive: true });
});

test.each([
  { options: {}, told: [] },
  { options: { proxyPods: true, registriesConfig: "/etc/a.yaml" }, told: [] },
  { options: { proxyPods: false }, told: ["--proxy-pods"] },
  { options: { registriesConfig: "/etc/b.yaml" }, told: ["--registries-config"] },
])("a running cluster told of $options keeps what it has", async ({ options, told }) => {
  await writeEgressChoices(paths, { proxyPods: true, registriesConfig: "/etc/a.yaml" });
  const messages: string[] = [];
  await tellEgressUnchanged(options, paths, (event) => {
    if (event.type === "warning") messages.push(event.message);
  });
  expect(messages.map((message) => /--[a-z-]+/.exec(message)?.[0])).toEqual(told);
});
