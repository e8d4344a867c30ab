import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "../../lab/src/cache.js";
import { debianMirror, ensurePrograms } from "../../lab/src/debian.js";
import { diesWithHarness, requireOnHost } from "../../lab/src/host-command.js";
import { requireStaticProgram } from "../../scripts/programs/static-program.js";

/** The version of upstream's image, which is built from the same source. */
const version = "1.37.0";
const sourcePath = `pool/main/b/busybox/busybox_${version}.orig.tar.bz2`;
const sourceSha256 = "3311dff32e746499f4df0d5df04d7eb396382d7e108bb9250e7b519b837043a4";

/**
 * Set in the default configuration: a static program, and without `tc`, which the headers of newer
 * kernels do not let compile.
 */
const settings: Readonly<Record<string, string>> = { STATIC: "y", TC: "n" };

const downloadTimeoutMs = 2 * 60_000;
const buildTimeoutMs = 20 * 60_000;

/**
 * Path of busybox as its authors release it, built if it is not in the cache yet: the shell of Debian's
 * drops environment variables whose names are no shell names, such as `p-data-1`, which specs use.
 */
export async function busybox(
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<string> {
  const directory = await cached({
    name: "conformance-busybox",
    recipe: { form: 1, sourceSha256, settings: Object.entries(settings).flat() },
    signal,
    build: async (entry) => {
      report(`building busybox ${version}`);
      const programs = { bzip2: "bzip2", gcc: "gcc", make: "make" };
      await ensurePrograms(programs, signal);
      const scratch = join(entry, "source");
      await mkdir(scratch);
      const archive = join(scratch, "source.tar.bz2");
      await writeFile(archive, await download(signal));
      const on = { signal, timeoutMs: buildTimeoutMs, cwd: scratch };
      await requireOnHost(["tar", "--strip-components=1", "-xjf", archive], on);
      await requireOnHost(["make", "defconfig"], on);
      const configuration = join(scratch, ".config");
      await writeFile(configuration, configured(await readFile(configuration, "utf8")));
      await requireOnHost(diesWithHarness(["nice", "make", "-j2", "busybox"]), on);
      await copyFile(join(scratch, "busybox"), join(entry, "busybox"));
      await requireStaticProgram(join(entry, "busybox"));
      await rm(scratch, { recursive: true });
    },
  });
  return join(directory, "busybox");
}

/** The source archive from Debian's mirror, which keeps it as its authors released it. */
async function download(signal: AbortSignal): Promise<Uint8Array> {
  const url = `${(await debianMirror()).replace(/\/$/, "")}/${sourcePath}`;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(downloadTimeoutMs)]);
  const response = await fetch(url, { signal: limit });
  if (!response.ok) throw new Error(`${url}: HTTP status ${response.status}`);
  const content = new Uint8Array(await response.arrayBuffer());
  const sha256 = createHash("sha256").update(content).digest("hex");
  if (sha256 === sourceSha256) return content;
  throw new Error(`${url} has the SHA-256 ${sha256}, not ${sourceSha256}`);
}

function configured(text: string): string {
  return Object.entries(settings).reduce(
    (configuration, [name, value]) =>
      configuration.replace(
        new RegExp(`^(?:# CONFIG_${name} is not set|CONFIG_${name}=.*)$`, "m"),
        value === "n" ? `# CONFIG_${name} is not set` : `CONFIG_${name}=${value}`,
      ),
    text,
  );
}
