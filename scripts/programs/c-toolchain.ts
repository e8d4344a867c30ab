import { existsSync } from "node:fs";
import { join } from "node:path";
import { DebianSuite, debianCodename } from "../../lab/src/debian-suite.js";
import { architectureNames, type Architecture } from "./architecture.js";
import { run } from "./command.js";

/** What it takes to compile C for a processor and link it statically. */
export interface CToolchain {
  readonly compiler: string;
  /** For cgo: which compiler to call, and where libseccomp is. */
  readonly environment: Readonly<Record<string, string>>;
}

const downloadTimeoutMs = 5 * 60_000;

/**
 * A C compiler with the static C and seccomp libraries. Debian's packages are installed when they are
 * missing and this is root; libseccomp for another processor is unpacked below `scratch`.
 */
export async function cToolchain(
  architecture: Architecture,
  scratch: string,
  report: (message: string) => void,
): Promise<CToolchain> {
  return architecture === process.arch
    ? await nativeToolchain(report)
    : await crossToolchain(architecture, scratch, report);
}

async function nativeToolchain(report: (message: string) => void): Promise<CToolchain> {
  const packages = ["gcc", "libc6-dev", "libseccomp-dev", "pkg-config"];
  await ensure(() => missingFrom("gcc", { seccomp: true }), packages, report);
  return { compiler: "gcc", environment: {} };
}

async function crossToolchain(
  architecture: Architecture,
  scratch: string,
  report: (message: string) => void,
): Promise<CToolchain> {
  const { debian, triplet } = architectureNames[architecture];
  const compiler = `${triplet}-gcc`;
  const packages = [`gcc-${triplet.replace("_", "-")}`, `libc6-dev-${debian}-cross`, "pkg-config"];
  await ensure(() => missingFrom(compiler, { seccomp: false }), packages, report);
  const root = join(scratch, `libseccomp-${debian}`);
  if (!existsSync(root)) {
    report(`fetching libseccomp for ${debian}`);
    await using suite = await DebianSuite.open({
      suite: await debianCodename(),
      architecture: debian,
      directory: scratch,
      signal: AbortSignal.timeout(downloadTimeoutMs),
    });
    await suite.unpack("libseccomp-dev", root);
  }
  return {
    compiler,
    environment: {
      CC: compiler,
      PKG_CONFIG_LIBDIR: join(root, "usr/lib", triplet, "pkgconfig"),
      PKG_CONFIG_SYSROOT_DIR: root,
      // Debian's pkg-config leaves out what it takes for a system directory, also below a sysroot.
      PKG_CONFIG_ALLOW_SYSTEM_CFLAGS: "1",
      PKG_CONFIG_ALLOW_SYSTEM_LIBS: "1",
    },
  };
}

async function ensure(
  whatIsMissing: () => Promise<string | null>,
  packages: readonly string[],
  report: (message: string) => void,
): Promise<void> {
  const missing = await whatIsMissing();
  if (missing === null) return;
  const command = `apt-get install -y --no-install-recommends ${packages.join(" ")}`;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    throw new Error(
      `${missing} is missing, and runc can not be built without it.\nInstall it as root (on Debian: ${command}) and try again.`,
    );
  }
  report(`${missing} is missing: installing ${packages.join(", ")}`);
  const environment = { DEBIAN_FRONTEND: "noninteractive" };
  await run(["apt-get", "update"], { environment });
  await run(["apt-get", "install", "-y", "--no-install-recommends", ...packages], { environment });
  const still = await whatIsMissing();
  if (still !== null) throw new Error(`${still} is missing even after: ${command}`);
}

async function missingFrom(compiler: string, needs: { seccomp: boolean }): Promise<string | null> {
  for (const tool of [compiler, "pkg-config"]) {
    if (!(await succeeds([tool, "--version"]))) return tool;
  }
  // gcc prints the bare name when it does not find the file.
  const library = (await run([compiler, "-print-file-name=libc.a"])).trim();
  if (library === "libc.a") return library;
  return needs.seccomp ? await missingSeccomp() : null;
}

async function missingSeccomp(): Promise<string | null> {
  if (!(await succeeds(["pkg-config", "--exists", "libseccomp"]))) return "libseccomp";
  const directory = (await run(["pkg-config", "--variable=libdir", "libseccomp"])).trim();
  return existsSync(join(directory, "libseccomp.a")) ? null : "libseccomp.a";
}

async function succeeds(argv: readonly [string, ...string[]]): Promise<boolean> {
  return await run(argv).then(
    () => true,
    () => false,
  );
}
