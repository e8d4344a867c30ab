import { SandkubeError } from "../errors.js";
import { supervisorEventSchema, type SupervisorEvent } from "../events.js";
import { isListening, requestLines } from "../platform/unix-socket.js";
import { supervisorStatusSchema, type SupervisorStatus } from "./supervisor-status.js";

/** How long the supervisor may take to answer `status`. */
const statusTimeoutMs = 10_000;

/** Speaks to a cluster's supervisor over its control socket. */
export class SupervisorClient {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** Whether the supervisor lives: it accepts connections for as long as it does. */
  async isAlive(signal?: AbortSignal): Promise<boolean> {
    return await isListening(this.#socketPath, signal);
  }

  /** The state of all roles; null when no supervisor runs. Throws E_TIMEOUT when it does not answer. */
  async status(signal?: AbortSignal): Promise<SupervisorStatus | null> {
    const limit = AbortSignal.timeout(statusTimeoutMs);
    const either = signal ? AbortSignal.any([signal, limit]) : limit;
    try {
      const lines = await requestLines(this.#socketPath, { command: "status" }, either);
      if (lines === null) return null;
      for await (const line of lines) {
        const parsed = supervisorStatusSchema.safeParse(line);
        if (parsed.success) return parsed.data;
        throw new SandkubeError(
          "E_STATE",
          "the supervisor's status is not what this version reads",
          {
            hint: "The cluster was started by another version of sandkube: run `sandkube down` with that one.",
            cause: parsed.error,
          },
        );
      }
      return null;
    } catch (error) {
      signal?.throwIfAborted();
      if (limit.aborted) {
        throw new SandkubeError("E_TIMEOUT", "the supervisor does not answer", {
          details: { socket: this.#socketPath, timeoutMs: statusTimeoutMs },
          cause: error,
        });
      }
      throw error;
    }
  }

  /**
   * All events since the supervisor's start (the last 1000 of them), then each as it
   * happens, until the supervisor ends. Empty when no supervisor runs.
   */
  async *events(signal?: AbortSignal): AsyncGenerator<SupervisorEvent> {
    yield* this.#stream({ command: "events" }, signal);
  }

  /**
   * Stops all roles, giving pods `graceMs` milliseconds to end, and then the
   * supervisor. Gives the events of that until the supervisor has ended. Empty when
   * no supervisor runs. Ending the iteration early does not stop the stopping.
   */
  async *stop(graceMs: number, signal?: AbortSignal): AsyncGenerator<SupervisorEvent> {
    yield* this.#stream({ command: "stop", graceMs }, signal);
  }

  async *#stream(request: unknown, signal?: AbortSignal): AsyncGenerator<SupervisorEvent> {
    const lines = await requestLines(this.#socketPath, request, signal);
    if (lines === null) return;
    for await (const line of lines) {
      const event = supervisorEventSchema.safeParse(line);
      if (event.success) yield event.data;
    }
  }
}
