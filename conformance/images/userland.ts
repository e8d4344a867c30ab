import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cached } from "../../lab/src/cache.js";
import { busybox } from "./busybox.js";
import { debianMirror, ensurePrograms } from "../../lab/src/debian.js";
import { diesWithHarness, requireOnHost } from "../../lab/src/host-command.js";

const debianSuite = "bookworm";

/** With what they depend on: programs that specs run in containers of agnhost, nginx and others. */
const packages = [
  "bash-static",
  "bind9-dnsutils",
  "busybox-static",
  "curl",
  "iproute2",
  "libc-bin",
  "netcat-openbsd",
  "nginx-light",
];

/** No container reads these. */
const unused = [
  "dev",
  "usr/share/doc",
  "usr/share/locale",
  "usr/share/man",
  "var/cache",
  "var/lib/apt",
];

/**
 * Files that Debian's maintainer scripts would make. The user with id 1000 and the group with id
 * 50000 are those of agnhost's Dockerfile, which specs on supplemental groups look for.
 */
export const commonFiles: Readonly<Record<string, string>> = {
  "etc/passwd":
    "root:x:0:0:root:/root:/bin/sh\n" +
    "user-defined-in-image:x:1000:1000::/:/bin/sh\n" +
    "nobody:x:65534:65534:nobody:/:/bin/false\n",
  "etc/group":
    "root:x:0:\n" +
    "user-defined-in-image:x:1000:\n" +
    "group-defined-in-image:x:50000:user-defined-in-image\n" +
    "nogroup:x:65534:\n",
  "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
  // Where the upstream image serves from.
  "etc/nginx/nginx.conf":
    "daemon off;\npid /run/nginx.pid;\nuser nobody nogroup;\nerror_log /dev/stderr;\nevents {}\n" +
    "http {\n  include mime.types;\n  access_log /dev/stdout;\n" +
    "  server { listen 80; root /usr/share/nginx/html; }\n}\n",
};

/**
 * Links by path in the root that has these programs. As `sh` busybox would do, but the shell of
 * Debian's drops environment variables whose names are no shell names.
 */
const links: Readonly<Record<string, string>> = {
  "bin/nc": "nc.openbsd",
  "bin/sh": "bash-static",
  "bin/bash": "bash-static",
};

const programDirectories = ["bin", "sbin", "usr/bin", "usr/sbin"];
const buildTimeoutMs = 15 * 60_000;

/** Root file systems on this machine. */
export interface Userlands {
  /** A shell, curl, dig, getent, nc, ss and nginx of Debian; for all else busybox, as in Alpine. */
  readonly full: string;
  /** Busybox as its authors release it, which is the shell too. */
  readonly small: string;
}

/** Makes the root file systems of the images if they are not in the cache yet. */
export async function userlands(
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<Userlands> {
  const smallBusybox = await busybox(signal, report);
  const parts = [
    debianSuite,
    ...packages,
    ...unused,
    ...[commonFiles, links].flatMap(Object.entries).flat(),
  ];
  const directory = await cached({
    name: "conformance-userlands",
    recipe: { form: 2, parts, smallBusybox, architecture: process.arch },
    signal,
    build: async (scratch) => {
      const { full, small } = rootsIn(scratch);
      await extractPackages(full, packages, signal);
      await mkdir(join(small, "bin"), { recursive: true });
      await copyFile(smallBusybox, join(small, "bin/busybox"));
      for (const root of [full, small]) await finish(root, commonFiles, signal);
    },
  });
  return rootsIn(directory);
}

function rootsIn(directory: string): Userlands {
  return { full: join(directory, "full"), small: join(directory, "small") };
}

/**
 * Unpacks packages of Debian, with what they depend on, without running their scripts, which need far
 * more than they give, and without what no container reads.
 */
export async function extractPackages(
  root: string,
  packages: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  await ensurePrograms({ mmdebstrap: "mmdebstrap" }, signal);
  const extract = ["mmdebstrap", "--variant=extract", "--mode=root"];
  const mirror = await debianMirror();
  await requireOnHost(
    diesWithHarness([...extract, `--include=${packages.join(",")}`, debianSuite, root, mirror]),
    { signal, timeoutMs: buildTimeoutMs },
  );
  for (const path of unused) await rm(join(root, path), { recursive: true, force: true });
}

/**
 * Adds files, links and directories to a root that has busybox, and names for every program that only
 * busybox has.
 */
export async function finish(
  root: string,
  files: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  for (const path of ["root", "run", "tmp"]) await mkdir(join(root, path), { recursive: true });
  await chmod(join(root, "tmp"), 0o1777);
  for (const [path, target] of Object.entries(links)) {
    if (existsSync(join(root, dirname(path), target))) await symlink(target, join(root, path));
  }
  const busybox = join(root, "bin/busybox");
  const list = await requireOnHost([busybox, "--list"], { signal, timeoutMs: buildTimeoutMs });
  for (const applet of list.trim().split("\n")) {
    const isThere = programDirectories.some((place) => existsSync(join(root, place, applet)));
    if (!isThere) await symlink("busybox", join(root, "bin", applet));
  }
}
