import { existsSync } from "node:fs";
import { join } from "node:path";
import { run } from "./command.js";

const packages = ["gcc", "libc6-dev", "libseccomp-dev", "pkg-config"] as const;

/**
 * Makes sure that there are a C compiler and the static C and seccomp libraries, by installing
 * Debian's packages when they are missing and this is root.
 */
export async function ensureStaticToolchain(report: (message: string) => void): Promise<void> {
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

async function whatIsMissing(): Promise<string | null> {
  for (const tool of ["gcc", "pkg-config"] as const) {
    if (!(await succeeds([tool, "--version"]))) return tool;
  }
  if (!(await succeeds(["pkg-config", "--exists", "libseccomp"]))) return "libseccomp";
  const directory = (await run(["pkg-config", "--variable=libdir", "libseccomp"])).trim();
  if (!existsSync(join(directory, "libseccomp.a"))) return "libseccomp.a";
  // gcc prints the bare name when it does not find the file.
  const library = (await run(["gcc", "-print-file-name=libc.a"])).trim();
  return library === "libc.a" ? "libc.a" : null;
}

async function succeeds(argv: readonly [string, ...string[]]): Promise<boolean> {
  return await run(argv).then(
    () => true,
    () => false,
  );
}
