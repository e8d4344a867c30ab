import type { ClusterStatus, RoleName, RoleStatus } from "sandkube";
import type { CommandResult, ExecOptions, Sandbox, SandboxProcess } from "../../lab/src/index.js";
import { OutputLines } from "./output-lines.js";

/** A command of the CLI with the streams of its process. */
export interface StartedCommand {
  readonly process: SandboxProcess;
  readonly output: OutputLines;
}

/** Limit of a command that starts or stops a cluster. */
const operationTimeoutMs = 200_000;
const longOperations = new Set(["up", "down", "delete"]);

/** Sandkube inside a sandbox, used as its users do: by its commands. */
export class Sandkube {
  readonly sandbox: Sandbox;
  readonly #user: number;

  /** Commands run as `user`, by default root. */
  constructor(sandbox: Sandbox, user = 0) {
    this.sandbox = sandbox;
    this.#user = user;
  }

  /** Runs a command to its end, whatever its exit code. */
  async run(args: readonly string[], options: ExecOptions = {}): Promise<CommandResult> {
    const isLong = longOperations.has(args[0] ?? "");
    return await this.sandbox.exec(["sandkube", ...args], {
      user: this.#user,
      ...(isLong ? { timeoutMs: operationTimeoutMs } : {}),
      ...options,
    });
  }

  /** Runs a command that has to succeed, and returns its standard output. */
  async do(args: readonly string[], options: ExecOptions = {}): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(args, options);
    if (exitCode === 0) return stdout;
    throw new Error(
      `sandkube ${args.join(" ")}: exit code ${exitCode}\n${stdout.slice(-4_000)}${stderr}`,
    );
  }

  /** Starts a command and goes on while it runs. */
  start(args: readonly string[]): StartedCommand {
    const process = this.sandbox.spawn(["sandkube", ...args], { user: this.#user });
    return { process, output: new OutputLines(process) };
  }

  /** Runs kubectl, which has to succeed, and returns its standard output. */
  async kubectl(...args: string[]): Promise<string> {
    return await this.do(["kubectl", ...args]);
  }

  /** Applies a manifest of `e2e/manifests`, or one at a path of the checkout. */
  async apply(manifest: string): Promise<void> {
    const path = manifest.includes("/") ? manifest : `e2e/manifests/${manifest}`;
    await this.kubectl("apply", "-f", `${this.sandbox.checkout}/${path}`);
  }

  /** Waits until every pod of a label selector is Ready. */
  async untilReady(selector: string, limitSeconds = 90): Promise<void> {
    const limit = `--timeout=${limitSeconds}s`;
    await this.do(["kubectl", "wait", "--for=condition=Ready", "pod", "-l", selector, limit], {
      timeoutMs: (limitSeconds + 15) * 1_000,
    });
  }

  /** Kubernetes objects, as `kubectl get ... -o json` prints them. */
  async get<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.kubectl("get", ...args, "-o", "json")) as T;
  }

  /** Runs a shell script in a pod and returns its standard output. */
  async inPod(pod: string, script: string): Promise<string> {
    return await this.kubectl("exec", pod, "--", "sh", "-c", script);
  }

  async status(): Promise<ClusterStatus> {
    return JSON.parse(await this.do(["status", "--json"])) as ClusterStatus;
  }

  /** What `status` says of one role. */
  async role(name: RoleName): Promise<RoleStatus> {
    const { runtime } = await this.status();
    const role = runtime?.roles.find((candidate) => candidate.role === name);
    if (role === undefined) throw new Error(`status has no role ${name}`);
    return role;
  }
}

/** The lines of `--json` output: every one has to be JSON. */
export function jsonLines<T>(stdout: string): T[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}
