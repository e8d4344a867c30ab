import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { run } from "../programs/command.js";
import { tarballsIn } from "./tarball.js";

const visibleTimeoutMs = 15 * 60_000;
const pollIntervalMs = 5_000;
const mainPackage = "sandkube";

/** A package that is to be published. */
interface Release {
  readonly path: string;
  readonly name: string;
  readonly version: string;
}

export interface PublishRequest {
  /** Directory with the tarballs of all packages. */
  readonly directory: string;
  /** Arguments of every `npm publish`, such as `--provenance`. */
  readonly publishArguments: readonly string[];
  readonly report: (line: string) => void;
}

/**
 * Publishes packed packages with the npm that is configured, so that no user ever meets half a release:
 * first the programs, then `sandkube` under the tag `next` once the registry shows them, and `latest`
 * moves after an installation from the registry has worked. Versions that are there already are left as
 * they are, so that a run which failed can be repeated.
 */
export async function publishPackages(request: PublishRequest): Promise<void> {
  const releases = await Promise.all((await tarballsIn(request.directory)).map(describe));
  const main = releases.find(({ name }) => name === mainPackage);
  if (main === undefined) throw new Error(`${request.directory} has no package ${mainPackage}`);
  const others = releases.filter((release) => release !== main);
  for (const release of others) await publish(release, request);
  for (const release of others) await untilVisible(release, request);
  await publish(main, request);
  await untilVisible(main, request);
  await tryInstallation(main, request);
  await run(["npm", "dist-tag", "add", `${main.name}@${main.version}`, "latest"]);
  request.report(`${main.name} ${main.version} is latest`);
}

async function describe(path: string): Promise<Release> {
  const text = await run(["tar", "-xzOf", path, "package/package.json"]);
  const { name, version } = JSON.parse(text) as { name: string; version: string };
  return { path, name, version };
}

async function publish({ path, name, version }: Release, request: PublishRequest): Promise<void> {
  if (await isPublished({ path, name, version })) {
    request.report(`${name} ${version} is there already`);
    return;
  }
  await run(["npm", "publish", path, "--tag", "next", ...request.publishArguments]);
  request.report(`${name} ${version} is published`);
}

async function isPublished({ name, version }: Release): Promise<boolean> {
  try {
    const found = await run(["npm", "view", `${name}@${version}`, "version", "--prefer-online"]);
    return found.trim() === version;
  } catch (error) {
    // A name that the registry does not know yet.
    if (error instanceof Error && error.message.includes("E404")) return false;
    throw error;
  }
}

async function untilVisible(release: Release, { report }: PublishRequest): Promise<void> {
  const deadline = performance.now() + visibleTimeoutMs;
  while (!(await isPublished(release))) {
    if (performance.now() > deadline) {
      throw new Error(
        `the registry does not show ${release.name} ${release.version} after ${visibleTimeoutMs / 60_000} min; run this again`,
      );
    }
    report(`waiting for the registry to show ${release.name} ${release.version}`);
    await delay(pollIntervalMs);
  }
}

/** Installs the released version as a user does, and checks the digests of its programs. */
async function tryInstallation(
  { name, version }: Release,
  { report }: PublishRequest,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "sandkube-release-"));
  try {
    await run(["npm", "init", "--yes"], { cwd: directory });
    await run(["npm", "install", "--prefer-online", `${name}@${version}`], { cwd: directory });
    const command = join(directory, "node_modules/.bin/sandkube");
    await run([command, "programs", "verify"], { cwd: directory });
    report(`${name} ${version} can be installed`);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
