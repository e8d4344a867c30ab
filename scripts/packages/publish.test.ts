import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { run } from "../programs/command.js";
import { publishPackages } from "./publish.js";
import { TestingRegistry } from "./testing/registry.js";

let directory: string;
let registry: TestingRegistry;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sandkube-publish-"));
  registry = await TestingRegistry.start();
  const settings = [
    `registry=http://${registry.address}/`,
    `//${registry.address}/:_authToken=a-token`,
    `cache=${join(directory, "cache")}`,
    "audit=false",
  ];
  await writeFile(join(directory, "npmrc"), settings.join("\n"));
  vi.stubEnv("npm_config_userconfig", join(directory, "npmrc"));
  vi.stubEnv("npm_config_registry", `http://${registry.address}/`);
  vi.stubEnv("npm_config_cache", join(directory, "cache"));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await registry[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** Packs a package of a name whose command `sandkube` ends with an exit code. */
async function pack(name: string, exitCode: number, more: object = {}): Promise<void> {
  const source = join(directory, "sources", name);
  await mkdir(source, { recursive: true });
  await mkdir(join(directory, "packages"), { recursive: true });
  const manifest = { name, version: "1.2.3", bin: { sandkube: "sandkube.js" }, ...more };
  await writeFile(join(source, "package.json"), JSON.stringify(manifest));
  const program = `#!/usr/bin/env node\nprocess.exitCode = ${exitCode};\n`;
  await writeFile(join(source, "sandkube.js"), program, { mode: 0o755 });
  await run(["npm", "pack", "--pack-destination", join(directory, "packages")], { cwd: source });
}

const programs = `@sandkube/runtime-linux-${process.arch}`;

async function publish(): Promise<void> {
  await publishPackages({
    directory: join(directory, "packages"),
    publishArguments: ["--access", "public"],
    report: () => {},
  });
}

test("programs are published before sandkube, and latest moves at the end; again changes nothing", async () => {
  await pack(programs, 0, { bin: {} });
  await pack("sandkube", 0, { optionalDependencies: { [programs]: "1.2.3" } });
  await publish();
  expect(registry.changes).toEqual([
    `publish ${programs} next`,
    "publish sandkube next",
    "tag sandkube latest",
  ]);
  expect(registry.tagsOf("sandkube")).toEqual({ next: "1.2.3", latest: "1.2.3" });
  registry.changes.length = 0;
  await publish();
  expect(registry.changes).not.toContainEqual(expect.stringMatching(/^publish/));
}, 120_000);

test("latest stays where it is when the installed sandkube does not work", async () => {
  await pack("sandkube", 13);
  await expect(publish()).rejects.toThrow("exit code 13");
  expect(registry.tagsOf("sandkube")).toEqual({ next: "1.2.3" });
}, 120_000);
