import { setTimeout as delay } from "node:timers/promises";

export interface Wait<T> {
  /** What is awaited, for the message when it does not come. */
  readonly for: string;
  readonly limitMs: number;
  /** Default 250. */
  readonly pollMs?: number;
  /** Returns the awaited value, or says as a text what is there instead. */
  readonly look: () => Promise<{ readonly found: T } | { readonly instead: string }>;
}

/** Looks again and again until a value is there. Throws, saying what was seen last, when time is up. */
export async function waitUntil<T>(wait: Wait<T>): Promise<T> {
  const deadline = performance.now() + wait.limitMs;
  for (;;) {
    const seen = await wait.look();
    if ("found" in seen) return seen.found;
    if (performance.now() > deadline) {
      throw new Error(`waited ${wait.limitMs} ms for ${wait.for}; last seen: ${seen.instead}`);
    }
    await delay(wait.pollMs ?? 250);
  }
}
