import type { SandboxProcess } from "../../lab/src/index.js";

/** The output of a running command, line by line as it comes. */
export class OutputLines {
  readonly #stdout: string[] = [];
  readonly #listeners = new Set<() => void>();
  #rest = "";
  #stderr = "";
  #ended = false;

  constructor(child: SandboxProcess) {
    child.stdout.on("data", (chunk: Buffer) => this.#take(chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (this.#stderr += chunk.toString()));
    void child.exited
      .catch(() => undefined)
      .then(() => {
        this.#ended = true;
        this.#tell();
      });
  }

  /** Everything so far, both streams, for error messages. */
  get text(): string {
    return [...this.#stdout, this.#rest, this.#stderr].join("\n");
  }

  /**
   * Waits for a line of standard output, among those so far and those to come, and returns what
   * `match` makes of it; null from `match` passes a line over. Throws, with all output, when the
   * command ends before or time is up.
   */
  async until<T>(what: string, match: (line: string) => T | null, limitMs = 60_000): Promise<T> {
    const deadline = performance.now() + limitMs;
    for (let next = 0; ;) {
      for (; next < this.#stdout.length; next += 1) {
        const value = match(this.#stdout[next] ?? "");
        if (value !== null) return value;
      }
      const leftMs = deadline - performance.now();
      if (this.#ended || leftMs <= 0) {
        const why = this.#ended ? "the command ended" : `${limitMs} ms passed`;
        throw new Error(`${why} before ${what}; its output:\n${this.text}`);
      }
      await this.#change(leftMs);
    }
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    this.#stdout.push(...lines.map((line) => line.replace(/\r$/, "")));
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #change(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(done);
        resolve();
      };
      const timer = setTimeout(done, limitMs);
      this.#listeners.add(done);
    });
  }
}
