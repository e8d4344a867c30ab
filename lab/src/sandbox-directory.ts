import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeCgroups } from "./cgroups.js";
import { tailOf } from "./errors.js";
import { runOnHost } from "./host-command.js";
import { deleteNetworkNamespace, networkNamespaces } from "./network-namespace.js";
import { isTagAlive, ownTag } from "./process-identity.js";

const namePrefix = "sandkube-lab-";

/**
 * A name for a new sandbox: `sandkube-lab-<pid>-<start ticks>-<random>`. Its directory, network
 * namespace and cgroups all bear it, so that whatever a killed harness leaves can be recognised.
 */
export function newSandboxName(): string {
  return `${namePrefix}${ownTag()}-${randomBytes(2).toString("hex")}`;
}

/** Directory of the sandbox with this name, whether or not it exists. */
export function sandboxDirectory(name: string): string {
  return join(tmpdir(), name);
}

/** Makes the directory of a sandbox, with `logs/` in it, and returns its path. */
export async function createSandboxDirectory(name: string): Promise<string> {
  const directory = sandboxDirectory(name);
  // An unprivileged user of the bare kernel must be able to pass through, but not to look around.
  await mkdir(directory, { mode: 0o711 });
  await mkdir(join(directory, "logs"), { mode: 0o700 });
  return directory;
}

/**
 * Removes all that a sandbox consisted of; its processes must have ended or been told to.
 * With SANDKUBE_LAB_KEEP=1 the logs stay, and their new place is returned.
 */
export async function removeSandbox(name: string, signal: AbortSignal): Promise<string | null> {
  const directory = sandboxDirectory(name);
  await deleteNetworkNamespace(name, signal);
  await removeCgroups(name);
  await unmountBelow(directory, signal);
  let kept: string | null = null;
  if (process.env["SANDKUBE_LAB_KEEP"] === "1") {
    kept = join(tmpdir(), name.replace(namePrefix, "sandkube-kept-lab-"));
    await rename(join(directory, "logs"), kept).catch(() => (kept = null));
  }
  await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  return kept;
}

/** Removes the sandboxes of harness processes that no longer run. */
export async function removeLeftovers(signal: AbortSignal): Promise<void> {
  const names = new Set([
    ...(await readdir(tmpdir())).filter((name) => name.startsWith(namePrefix)),
    ...(await networkNamespaces(namePrefix, signal)),
  ]);
  for (const name of names) {
    const tag = /^(\d+-[0-9a-z]+)-[0-9a-f]+$/.exec(name.slice(namePrefix.length))?.[1];
    if (tag !== undefined && !isTagAlive(tag)) await removeSandbox(name, signal);
  }
}

/** What gVisor notes for every process it starts, and would push all else off the end of a log. */
const logNoise = /cgroup mount for controller \w+ not found|Error opening \/|EXEC: /;

/** The end of every log in the directory of a sandbox, for an error message. */
export async function logTails(directory: string): Promise<string> {
  const logs = join(directory, "logs");
  const names = (await readdir(logs).catch(() => [])).toSorted();
  const tails = await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(logs, name), "utf8").catch(() => "");
      const lines = text.split("\n").filter((line) => line !== "" && !logNoise.test(line));
      return lines.length === 0 ? [] : [`${name}:\n${tailOf(lines.join("\n"), 15)}`];
    }),
  );
  return tails.flat().join("\n") || "nothing";
}

async function unmountBelow(directory: string, signal: AbortSignal): Promise<void> {
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n");
  const points = mounts.map((line) => line.split(" ")[1] ?? "");
  for (const point of points.filter((path) => path.startsWith(`${directory}/`)).toReversed()) {
    await runOnHost(["umount", "--lazy", point], { signal, timeoutMs: 20_000 });
  }
}
