import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import type { ProgressEvent } from "../../index.js";
import { plainReporter } from "./plain.js";

function reported(events: readonly ProgressEvent[]): string {
  const stream = new PassThrough();
  using reporter = plainReporter(stream);
  for (const event of events) reporter.report(event);
  return String(stream.read() ?? "");
}

const started: ProgressEvent = { type: "step-started", step: "node-ready", title: "Waiting" };

test("a step is one line, when it ends", () => {
  expect(reported([started])).toBe("");
  const finished: ProgressEvent = {
    type: "step-finished",
    step: "node-ready",
    durationMs: 4_210,
    result: "1 node",
  };
  expect(reported([started, finished])).toBe("Waiting: 1 node (4.2 s)\n");
  const failed: ProgressEvent = {
    type: "step-failed",
    step: "node-ready",
    durationMs: 90,
    message: "no",
  };
  expect(reported([started, failed])).toBe("Waiting: failed (90 ms)\n");
});

test("a long wait is told ever more rarely", () => {
  const waits = Array.from({ length: 19 }, (_, second): ProgressEvent => ({
    type: "waiting",
    for: "the node",
    elapsedMs: second * 1_000,
  }));
  expect(reported([started, ...waits])).toBe(
    "  still waiting for the node (5.0 s)\n  still waiting for the node (10.0 s)\n",
  );
});

test("a role that has ended is told with its reason", () => {
  const event: ProgressEvent = {
    type: "runtime",
    event: {
      type: "role",
      time: "2026-01-02T03:04:05Z",
      role: "node",
      state: "backing-off",
      exitCode: 2,
      service: "kubelet",
      message: "no cgroup",
      restarts: 1,
      delayMs: 500,
    },
  };
  expect(reported([event])).toBe(
    "  kubelet has ended (exit code 2): no cgroup; starting again in 500 ms\n",
  );
});
