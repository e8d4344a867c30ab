import { mkdir, rm, writeFile } from "node:fs/promises";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  bundleMounts,
  ociConfig,
  ociProcess,
  type BundleMount,
  type RootCapabilities,
} from "./bundle.js";
import { CarriedSandbox, type CarriedSandboxParts } from "./carried-sandbox.js";
import { checkoutDirectory, programsDirectory } from "./checkout.js";
import { LabError } from "./errors.js";
import { SandboxCarrier } from "./first-process.js";
import { diesWithHarness, requireOnHost, runOnHost } from "./host-command.js";
import {
  baseEnvironment,
  untilAvailable,
  type EntryCommand,
  type EntryProcess,
} from "./inside-command.js";
import { createNetworkNamespace } from "./network-namespace.js";
import { insidePaths, rootFilesystem } from "./root-filesystem.js";
import { runscProgram, type GvisorKind } from "./runsc-program.js";
import { createSandboxDirectory } from "./sandbox-directory.js";
import type { BootOptions, SpawnOptions } from "./sandbox.js";

const commandTimeoutMs = 20_000;
const copyTimeoutMs = 120_000;
/** How runsc reports a failure of its own, as opposed to one of the command inside. */
const runscFailure = 128;

/**
 * Prepares, in the mount namespace that `ip netns exec` makes, what runsc needs of this machine:
 * - Releases before 2026 take a network namespace in which /proc/sys/net/core/dev_weight is visible
 *   for the machine's own, and refuse it. Newer kernels show that file in every namespace.
 * - The root file system is an overlay over the cached one, or a copy: that one stays as it is.
 * Arguments: overlay options or nothing, root directory, then the command.
 */
const inPrivateMounts = `set -e
mount -t tmpfs tmpfs /proc/sys/net/core
if [ -n "$1" ]; then mount -t overlay overlay -o "$1" "$2"; fi
shift 2
exec "$@"`;

/** A sandbox of real gVisor, run by `runsc` on this machine. */
export class GvisorSandbox extends CarriedSandbox {
  readonly kind: GvisorKind;
  readonly checkout = insidePaths.checkout;
  readonly #runsc: readonly string[];
  readonly #mounts: readonly BundleMount[];
  readonly #capabilities: RootCapabilities;
  #commandCount = 0;

  private constructor(
    kind: GvisorKind,
    parts: CarriedSandboxParts,
    gvisor: {
      runsc: readonly string[];
      mounts: readonly BundleMount[];
      capabilities: RootCapabilities;
    },
  ) {
    super(parts);
    this.kind = kind;
    this.#runsc = gvisor.runsc;
    this.#mounts = gvisor.mounts;
    this.#capabilities = gvisor.capabilities;
  }

  static async boot(kind: GvisorKind, name: string, options: BootOptions): Promise<GvisorSandbox> {
    const { signal, network = "sandbox", netRaw = false, overlay2 = "root:self" } = options;
    const capabilities = { netRaw, withoutCapabilities: options.withoutCapabilities ?? [] };
    const program = await runscProgram(kind, signal);
    const lower = await rootFilesystem(options.userland ?? "bookworm", signal);
    const programs = await programsDirectory();
    const mounts = bundleMounts(options, checkoutDirectory, programs);
    const directory = await createSandboxDirectory(name);
    const link = await createNetworkNamespace(name, network, signal);
    const place = (part: string): string => join(directory, part);
    for (const part of ["upper", "work", "root", "commands"]) await mkdir(place(part));
    const config = ociConfig({
      rootPath: place("root"),
      network: `/run/netns/${name}`,
      capabilities,
      env: baseEnvironment(0, null),
      mounts,
    });
    await writeFile(place("config.json"), JSON.stringify(config, null, 2));
    const runsc = [
      program,
      `--root=${place("state")}`,
      `--debug-log=${place("logs")}/%COMMAND%.log`,
      "--platform=systrap",
      "--ignore-cgroups",
      `--overlay2=${overlay2}`,
      `--network=${network}`,
      ...(netRaw ? ["--net-raw"] : []),
    ];
    const isCopied = options.rootBacking === "directory";
    if (isCopied) await copyTree(lower, place("root"), signal);
    const overlay = `lowerdir=${lower},upperdir=${place("upper")},workdir=${place("work")}`;
    const root = [isCopied ? "" : overlay, place("root")];
    const privately = ["ip", "netns", "exec", name, "sh", "-c", inPrivateMounts, "lab", ...root];
    const run = [...runsc, "run", `--bundle=${directory}`, name];
    const carrier = await SandboxCarrier.start([...privately, ...run], directory, signal);
    const parts = { name, link, directory, carrier };
    return new GvisorSandbox(kind, parts, { runsc, mounts, capabilities });
  }

  override pathInside(path: string): string {
    for (const { source, destination } of this.#mounts) {
      if (path === source) return destination;
      if (path.startsWith(`${source}/`)) return destination + path.slice(source.length);
    }
    throw new LabError("E_LAB_USAGE", `${path} is not under any directory the sandbox shows`);
  }

  protected override isEntryFailure(exitCode: number): boolean {
    return exitCode === runscFailure;
  }

  protected override enter(argv: readonly string[], options: SpawnOptions): EntryCommand {
    this.#commandCount += 1;
    const files = join(this.directory, "commands", `${this.#commandCount}`);
    const hasPrograms = this.#mounts.some((mount) => mount.destination === insidePaths.programs);
    const programs = hasPrograms ? insidePaths.programs : null;
    const env = { ...baseEnvironment(options.user ?? 0, programs), ...options.env };
    // env reports a missing program with 127, as a shell does; runsc has one code for all failures.
    const process = ociProcess(["env", "--", ...argv], env, options, this.#capabilities);
    writeFileSync(`${files}.json`, JSON.stringify(process));
    const exec = ["exec", `--process=${files}.json`, `--internal-pid-file=${files}.pid`];
    return {
      argv: [...this.#runsc, ...exec, this.name],
      kill: (signalNumber, entry) => this.#kill(`${files}.pid`, signalNumber, entry),
      onExit: async () => {
        const used = [`${files}.json`, `${files}.pid`];
        await Promise.all(used.map((file) => rm(file, { force: true })));
      },
    };
  }

  async #kill(pidFile: string, signalNumber: number, entry: EntryProcess): Promise<void> {
    const readPid = (): string | null => {
      try {
        return /^\d+$/.exec(readFileSync(pidFile, "utf8").trim())?.[0] ?? null;
      } catch {
        return null;
      }
    };
    const pid = await untilAvailable("the process to start inside", readPid, entry.hasExited);
    if (pid === null) return;
    const kill = [...this.#runsc, "kill", `--pid=${pid}`, this.name, `${signalNumber}`];
    const options = { signal: AbortSignal.timeout(commandTimeoutMs), timeoutMs: commandTimeoutMs };
    const result = await runOnHost(kill, options);
    if (result.exitCode === 0 || entry.hasExited() || this.carrier.hasEnded) return;
    if (/no such process/i.test(result.stderr)) return;
    throw new LabError("E_LAB_HOST_COMMAND", `cannot signal a process: ${result.stderr.trim()}`);
  }
}

async function copyTree(source: string, target: string, signal: AbortSignal): Promise<void> {
  const copy = ["cp", "--archive", "--reflink=auto", "--no-target-directory", source, target];
  await requireOnHost(diesWithHarness(copy), { signal, timeoutMs: copyTimeoutMs });
}
