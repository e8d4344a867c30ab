import { SandkubeError } from "../errors.js";
import type { ProgressListener } from "../events.js";
import { monotonicMs } from "../platform/clock.js";

/** One step of `up`, as its progress events tell it. */
export interface StepDescription<T> {
  /** Stable kebab-case name. */
  name: string;
  /** What is being done, for people. */
  title: string;
  run: () => Promise<T>;
  /** What came of it, for people. */
  result?: (value: T) => string;
}

/** Runs steps and tells of their start, end and failure. */
export type StepRunner = <T>(step: StepDescription<T>) => Promise<T>;

/** A step runner that stops before the next step when the signal is aborted. */
export function stepRunner(emit: ProgressListener, signal?: AbortSignal): StepRunner {
  return async (step) => {
    signal?.throwIfAborted();
    const start = monotonicMs();
    const durationMs = () => Math.round(monotonicMs() - start);
    emit({ type: "step-started", step: step.name, title: step.title });
    try {
      const value = await step.run();
      const result = step.result?.(value);
      emit({
        type: "step-finished",
        step: step.name,
        durationMs: durationMs(),
        ...(result === undefined ? {} : { result }),
      });
      return value;
    } catch (error) {
      const { message } = SandkubeError.from(error);
      emit({ type: "step-failed", step: step.name, durationMs: durationMs(), message });
      throw error;
    }
  };
}
