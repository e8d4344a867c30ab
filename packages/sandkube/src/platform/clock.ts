import { setTimeout as delay } from "node:timers/promises";

/** Resolves after `ms` milliseconds; rejects with the signal's reason when it is aborted first. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  try {
    await delay(ms, undefined, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** Milliseconds since some fixed point; never goes backwards. */
export function monotonicMs(): number {
  return performance.now();
}

/** A point in time by which something has to be done. */
export interface Deadline {
  /** Milliseconds that are left, never below 0. */
  leftMs(): number;
  passed(): boolean;
  /** The limit that it was made with, in milliseconds. */
  readonly limitMs: number;
}

/** A deadline `limitMs` milliseconds from now. */
export function deadlineIn(limitMs: number): Deadline {
  const end = monotonicMs() + limitMs;
  return {
    limitMs,
    leftMs: () => Math.max(0, end - monotonicMs()),
    passed: () => monotonicMs() >= end,
  };
}
