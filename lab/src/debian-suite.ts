import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { debianMirror } from "./debian.js";
import { LabError } from "./errors.js";
import { diesWithHarness, requireOnHost, runOnHost } from "./host-command.js";

const downloadTimeoutMs = 5 * 60_000;

export interface DebianSuiteOptions {
  /** Name of the suite, such as `bookworm` or `sid`. */
  readonly suite: string;
  /** Debian's name of the architecture; by default this machine's. */
  readonly architecture?: string;
  /** Directory in which the suite's package lists and downloads lie until it is disposed. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

/**
 * Packages of a suite of the Debian archive, with package lists of its own: the machine's apt set-up
 * is neither used up nor changed.
 */
export class DebianSuite implements AsyncDisposable {
  readonly #directory: string;
  readonly #settings: readonly string[];
  readonly #signal: AbortSignal;

  private constructor(directory: string, settings: readonly string[], signal: AbortSignal) {
    this.#directory = directory;
    this.#settings = settings;
    this.#signal = signal;
  }

  /** Fetches the package lists. Throws E_LAB_UNSUPPORTED or E_LAB_HOST_COMMAND. */
  static async open(options: DebianSuiteOptions): Promise<DebianSuite> {
    const { suite, architecture, signal } = options;
    const directory = join(options.directory, "apt");
    await mkdir(join(directory, "lists", "partial"), { recursive: true });
    await mkdir(join(directory, "cache", "archives", "partial"), { recursive: true });
    await writeFile(join(directory, "status"), "");
    await writeFile(
      join(directory, "debian.sources"),
      `Types: deb\nURIs: ${await debianMirror()}\nSuites: ${suite}\nComponents: main\n` +
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n",
    );
    const settings = [
      `Dir::Etc::sourcelist=${directory}/debian.sources`,
      "Dir::Etc::sourceparts=-",
      `Dir::State::lists=${directory}/lists`,
      `Dir::State::status=${directory}/status`,
      `Dir::Cache=${directory}/cache`,
      // The directory belongs to root: apt's unprivileged download user cannot write there.
      "APT::Sandbox::User=root",
      "Acquire::Languages=none",
      "Acquire::Retries=3",
      ...(architecture === undefined
        ? []
        : [`APT::Architecture=${architecture}`, `APT::Architectures=${architecture}`]),
    ].flatMap((setting) => ["-o", setting]);
    const opened = new DebianSuite(directory, settings, signal);
    await requireOnHost(diesWithHarness(["apt-get", ...settings, "update"]), opened.#options());
    return opened;
  }

  /** The versions of a package that the suite has, newest first. */
  async versions(name: string): Promise<string[]> {
    const listed = await runOnHost(
      ["apt-cache", ...this.#settings, "madison", name],
      this.#options(),
    );
    const versions = listed.stdout.split("\n").map((line) => line.split("|")[1]?.trim() ?? "");
    return versions.filter((version) => version !== "");
  }

  /** Unpacks a package, without those that it depends on, into a directory. */
  async unpack(name: string, target: string, version?: string): Promise<void> {
    const wanted = version === undefined ? name : `${name}=${version}`;
    const options = this.#options();
    await requireOnHost(
      diesWithHarness(["apt-get", ...this.#settings, "download", wanted]),
      options,
    );
    const extract = 'dpkg-deb --extract ./"$1"_*.deb "$2"';
    await requireOnHost(["sh", "-c", extract, "sh", name, target], options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }

  #options() {
    return { signal: this.#signal, timeoutMs: downloadTimeoutMs, cwd: this.#directory };
  }
}

/** The name of the Debian release that this machine runs. Throws E_LAB_UNSUPPORTED elsewhere. */
export async function debianCodename(): Promise<string> {
  const osRelease = await readFile("/etc/os-release", "utf8").catch(() => "");
  const codename = /^VERSION_CODENAME=(\S+)$/m.exec(osRelease)?.[1];
  if (codename !== undefined) return codename;
  throw new LabError("E_LAB_UNSUPPORTED", "/etc/os-release names no release of Debian");
}
