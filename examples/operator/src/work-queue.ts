import { setTimeout as delay } from "node:timers/promises";

const firstRetryMs = 250;
const lastRetryMs = 30_000;

/**
 * Works on keys one after the other. A key that is added again before its turn is worked on once; one
 * whose work fails comes back, after longer each time.
 */
export class WorkQueue {
  readonly #waiting = new Set<string>();
  readonly #failures = new Map<string, number>();
  #wake: () => void = () => {};

  add(key: string): void {
    this.#waiting.add(key);
    this.#wake();
  }

  /** Works until the signal is aborted. `onFailure` is told each failure. */
  async run(
    work: (key: string) => Promise<void>,
    onFailure: (key: string, error: unknown) => void,
    signal: AbortSignal,
  ): Promise<void> {
    signal.addEventListener("abort", () => this.#wake(), { once: true });
    while (!signal.aborted) {
      const [key] = this.#waiting;
      if (key === undefined) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      this.#waiting.delete(key);
      try {
        await work(key);
        this.#failures.delete(key);
      } catch (error) {
        onFailure(key, error);
        void this.#addLater(key, signal);
      }
    }
  }

  async #addLater(key: string, signal: AbortSignal): Promise<void> {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const waitMs = Math.min(firstRetryMs * 2 ** failures, lastRetryMs);
    await delay(waitMs, undefined, { signal }).then(
      () => this.add(key),
      () => undefined,
    );
  }
}
