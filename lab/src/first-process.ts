import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "./errors.js";
import { diesWithHarness } from "./host-command.js";
import { logTails } from "./sandbox-directory.js";

const bootTimeoutMs = 60_000;
const endTimeoutMs = 20_000;

/**
 * What a sandbox runs as its first process: says that it is there, reaps what others leave behind,
 * as the first process of a real sandbox does, and ends when the harness closes its input.
 */
export const firstProcess: readonly string[] = [
  "bash",
  "-c",
  "echo ready; while read -r _; do :; done",
];

/** The host process that a whole sandbox lives and dies with. */
export class SandboxCarrier {
  readonly #child: ChildProcess;
  readonly #directory: string;
  readonly #ended: Promise<void>;

  private constructor(child: ChildProcess, directory: string) {
    this.#child = child;
    this.#directory = directory;
    this.#ended = new Promise((resolve) => {
      child.once("exit", () => resolve());
      child.once("error", () => resolve());
    });
  }

  /** Starts `argv`, which runs {@link firstProcess} inside, and waits until that has begun. */
  static async start(
    argv: readonly string[],
    directory: string,
    signal: AbortSignal,
  ): Promise<SandboxCarrier> {
    signal.throwIfAborted();
    const [program = "", ...args] = diesWithHarness(argv);
    const log = openSync(join(directory, "logs", "boot.log"), "a");
    // A session of its own: Ctrl-C on a terminal is for the command, not for the sandbox.
    const child = spawn(program, args, { stdio: ["pipe", "pipe", log], detached: true });
    closeSync(log);
    const carrier = new SandboxCarrier(child, directory);
    try {
      await carrier.#untilReady(signal);
    } catch (error) {
      await carrier.end();
      throw error;
    }
    child.unref();
    return carrier;
  }

  /** Process id on this machine. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Throws E_LAB_SANDBOX_DIED if the sandbox ends within `withinMs`. */
  async requireAlive(withinMs: number): Promise<void> {
    await this.#endWithin(withinMs);
    if (this.hasEnded) await this.#throwDied("E_LAB_SANDBOX_DIED", "the sandbox died");
  }

  /** Kills the sandbox and waits until it is gone. */
  async end(): Promise<void> {
    if (this.hasEnded || this.#child.pid === undefined) return;
    this.#child.kill("SIGKILL");
    await this.#endWithin(endTimeoutMs);
    this.#child.stdin?.destroy();
    this.#child.stdout?.destroy();
  }

  async #untilReady(signal: AbortSignal): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    const outcome = await new Promise<"ready" | "ended" | "aborted" | "late">((resolve) => {
      this.#child.stdout?.once("data", () => resolve("ready"));
      void this.#ended.then(() => resolve("ended"));
      timer = setTimeout(() => resolve("late"), bootTimeoutMs);
      onAbort = () => resolve("aborted");
      signal.addEventListener("abort", onAbort, { once: true });
    });
    clearTimeout(timer);
    if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
    if (outcome === "aborted") signal.throwIfAborted();
    if (outcome === "ended") await this.#throwDied("E_LAB_BOOT", "the sandbox did not start");
    if (outcome === "late") {
      await this.#throwDied("E_LAB_BOOT", `the sandbox was not up in ${bootTimeoutMs} ms`);
    }
  }

  async #throwDied(code: "E_LAB_BOOT" | "E_LAB_SANDBOX_DIED", what: string): Promise<never> {
    throw new LabError(code, `${what}; its logs end with\n${await logTails(this.#directory)}`);
  }

  async #endWithin(limitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
    });
    await Promise.race([this.#ended, late]);
    clearTimeout(timer);
  }
}
