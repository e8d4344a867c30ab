import { expect, test } from "vitest";
import type { ProgressEvent } from "../events.js";
import { stepRunner } from "./step.js";

function recordedRunner(signal?: AbortSignal) {
  const events: ProgressEvent[] = [];
  return { events, step: stepRunner((event) => events.push(event), signal) };
}

test("a step tells of its start, its end and what came of it", async () => {
  const { events, step } = recordedRunner();
  const value = await step({
    name: "probe",
    title: "Probing",
    run: async () => 7,
    result: (count) => `${count} facts`,
  });
  expect(value).toBe(7);
  expect(events).toEqual([
    { type: "step-started", step: "probe", title: "Probing" },
    {
      type: "step-finished",
      step: "probe",
      result: "7 facts",
      durationMs: expect.any(Number) as number,
    },
  ]);
});

test("a failed step tells why, and fails", async () => {
  const { events, step } = recordedRunner();
  const failing = step({
    name: "probe",
    title: "Probing",
    run: () => Promise.reject(new Error("no luck")),
  });
  await expect(failing).rejects.toThrow("no luck");
  expect(events.at(-1)).toMatchObject({ type: "step-failed", message: "no luck" });
});

test("no step begins after the abort", async () => {
  const controller = new AbortController();
  const { events, step } = recordedRunner(controller.signal);
  controller.abort(new Error("enough"));
  const late = step({ name: "probe", title: "Probing", run: async () => 7 });
  await expect(late).rejects.toThrow("enough");
  expect(events).toEqual([]);
});
