import { setTimeout as delay } from "node:timers/promises";
import { collectOutput, listProcesses, parseProcesses } from "./collect-output.js";
import { LabError } from "./errors.js";
import type { SandboxCarrier } from "./first-process.js";
import type { CommandResult } from "./host-command.js";
import { attachInside, spawnInside, type EntryCommand } from "./inside-command.js";
import type { SandboxLink } from "./network-namespace.js";
import { removeSandbox } from "./sandbox-directory.js";
import type {
  ExecOptions,
  ProcessRow,
  Sandbox,
  SandboxKind,
  SandboxProcess,
  SpawnOptions,
} from "./sandbox.js";

const disposeTimeoutMs = 30_000;
/** How long after the sandbox's end its commands may still be there. */
const commandsEndMs = 5_000;
/** How long after a failed command the sandbox's own end may become known. */
const deathNoticeMs = 1_000;

/** What a sandbox is made of, once booted. */
export interface CarriedSandboxParts {
  readonly name: string;
  readonly link: SandboxLink | null;
  readonly directory: string;
  readonly carrier: SandboxCarrier;
}

/** What is the same in every kind of sandbox: it lives in one host process, commands enter it. */
export abstract class CarriedSandbox implements Sandbox {
  abstract readonly kind: SandboxKind;
  abstract readonly checkout: string;
  readonly name: string;
  readonly link: SandboxLink | null;
  protected readonly directory: string;
  protected readonly carrier: SandboxCarrier;
  /** The ends of the commands under way. */
  readonly #commands = new Set<Promise<void>>();
  #disposal: Promise<void> | null = null;

  protected constructor(parts: CarriedSandboxParts) {
    this.name = parts.name;
    this.link = parts.link;
    this.directory = parts.directory;
    this.carrier = parts.carrier;
  }

  get hostPid(): number {
    return this.carrier.pid;
  }

  abstract pathInside(path: string): string;

  /** The command of this machine that runs `argv` inside. */
  protected abstract enter(argv: readonly string[], options: SpawnOptions): EntryCommand;

  /** Whether an exit code may come from the way in, not from the command. */
  protected abstract isEntryFailure(exitCode: number): boolean;

  async exec(argv: readonly string[], options: ExecOptions = {}): Promise<CommandResult> {
    return await collectOutput(argv, this.spawn(argv, options), options);
  }

  spawn(argv: readonly string[], options: SpawnOptions = {}): SandboxProcess {
    const process = spawnInside(this.#watched(argv, options), options);
    const ended: Promise<void> = process.exited
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => this.#commands.delete(ended));
    this.#commands.add(ended);
    return process;
  }

  async attach(argv: readonly string[], options: SpawnOptions = {}): Promise<number> {
    return await attachInside(this.#watched(argv, options), options);
  }

  async processes(signal?: AbortSignal): Promise<ProcessRow[]> {
    const options = signal === undefined ? {} : { signal };
    const { exitCode, stdout, stderr } = await this.exec(listProcesses, options);
    if (exitCode !== 0) throw new LabError("E_LAB_HOST_COMMAND", `ps inside: ${stderr.trim()}`);
    return parseProcesses(stdout);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  async #dispose(): Promise<void> {
    await this.carrier.end();
    // One that has just started would make its log, and with it the directory, once more.
    const late = delay(commandsEndMs, undefined, { ref: false });
    await Promise.race([Promise.all(this.#commands), late]);
    await removeSandbox(this.name, AbortSignal.timeout(disposeTimeoutMs));
  }

  #watched(argv: readonly string[], options: SpawnOptions): EntryCommand {
    if (this.#disposal !== null) throw new LabError("E_LAB_DISPOSED", `${this.name} is disposed`);
    const entry = this.enter(argv, options);
    return {
      ...entry,
      onExit: async (exitCode) => {
        await entry.onExit(exitCode);
        if (exitCode !== 0 && this.#disposal === null) {
          await this.carrier.requireAlive(this.isEntryFailure(exitCode) ? deathNoticeMs : 0);
        }
      },
    };
  }
}
