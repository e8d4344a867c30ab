import { existsSync } from "node:fs";
import { copyFile, mkdir, realpath, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { cached, entryPath, type Recipe } from "./cache.js";
import { debianMirror } from "./debian.js";
import { diesWithHarness, requireOnHost } from "./host-command.js";
import { buildMuslRoot, muslParts } from "./musl-root.js";

/**
 * The sandbox's own programs: a Debian release, or busybox and musl without any glibc. The same kernel
 * meets different tools.
 */
export type Userland = "bookworm" | "trixie" | "musl";

/** Where things lie inside every gVisor sandbox. */
export const insidePaths = {
  checkout: "/sandkube",
  programs: "/opt/sandkube/programs",
  images: "/images",
} as const;

/** The user of `--user 1000`: a plain account with a home directory and no privilege. */
export const plainUser = { uid: 1000, name: "user", home: "/home/user" } as const;

const debootstrapTimeoutMs = 15 * 60_000;
const packages = ["ca-certificates", "iproute2", "libstdc++6", "procps"];

const sandkubeLauncher = `#!/bin/sh
exec node ${insidePaths.checkout}/packages/sandkube/dist/cli/main.js "$@"
`;

function rootRecipe(userland: Userland): Recipe {
  return {
    form: 1,
    userland,
    packages: userland === "musl" ? [...muslParts.packages, muslParts.node] : packages,
    launcher: sandkubeLauncher,
    node: `${process.version} ${process.arch}`,
  };
}

/** Where the root file system of a userland is cached, whether or not it is there yet. */
export function rootFilesystemCacheEntry(userland: Userland): string {
  return entryPath(`root-${userland}`, rootRecipe(userland));
}

/**
 * A Debian root file system with iproute2, procps, certificates and this machine's own Node; or one
 * with musl, which has none of them but a Node of its own.
 * The directory is shared by all sandboxes and must not be written to.
 */
export async function rootFilesystem(userland: Userland, signal: AbortSignal): Promise<string> {
  const entry = await cached({
    name: `root-${userland}`,
    recipe: rootRecipe(userland),
    signal,
    build: async (directory) => {
      const root = join(directory, "root");
      if (userland === "musl") await buildMuslRoot(root, signal);
      else await buildDebianRoot(root, userland, signal);
      await installSandkube(root);
    },
  });
  return join(entry, "root");
}

async function buildDebianRoot(
  root: string,
  userland: Exclude<Userland, "musl">,
  signal: AbortSignal,
): Promise<void> {
  const options = {
    signal,
    timeoutMs: debootstrapTimeoutMs,
    env: { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` },
  };
  const debootstrap = ["debootstrap", "--variant=minbase", `--include=${packages.join(",")}`];
  // debootstrap mounts inside the target: in namespaces of its own, even a kill leaves no mount.
  const isolated = ["unshare", "--mount", "--pid", "--fork", "--kill-child"];
  const mirror = await debianMirror();
  await requireOnHost(
    diesWithHarness([...isolated, ...debootstrap, userland, root, mirror]),
    options,
  );
  await installNode(root, signal);
  const { uid, name, home } = plainUser;
  const account = ["useradd", "--uid", `${uid}`, "--create-home", "--home-dir", home];
  await requireOnHost(["chroot", root, ...account, "--shell", "/bin/bash", name], options);
  await requireOnHost(["sh", "-c", `rm -rf '${root}'/var/cache/apt/archives/*.deb`], options);
}

/** Copies this machine's Node, and those libraries of it that the root file system lacks. */
async function installNode(root: string, signal: AbortSignal): Promise<void> {
  const options = { signal, timeoutMs: 60_000 };
  const program = await realpath(process.execPath);
  await copyFile(program, join(root, "usr/local/bin/node"));
  const triplet = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  const systemDirectories = [`usr/lib/${triplet}`, `lib/${triplet}`, "usr/lib", "lib64"];
  const linked = await requireOnHost(["ldd", program], options);
  for (const [, library = ""] of linked.matchAll(/=> (\/\S+)/g)) {
    const name = basename(library);
    if (systemDirectories.some((directory) => existsSync(join(root, directory, name)))) continue;
    await copyFile(library, join(root, "usr/local/lib", name));
  }
  await requireOnHost(["chroot", root, "ldconfig"], options);
  await requireOnHost(["chroot", root, "node", "--version"], options);
}

async function installSandkube(root: string): Promise<void> {
  for (const path of Object.values(insidePaths)) {
    await mkdir(join(root, path), { recursive: true });
  }
  await writeFile(join(root, "usr/local/bin/sandkube"), sandkubeLauncher, { mode: 0o755 });
  // Whatever the building machine resolves names with is not for the sandboxes (RFC 5737 address).
  await writeFile(join(root, "etc/resolv.conf"), "nameserver 192.0.2.53\n");
  await writeFile(join(root, "etc/hostname"), "sandbox\n");
  await writeFile(join(root, "etc/hosts"), "127.0.0.1 localhost sandbox\n::1 localhost\n");
}
