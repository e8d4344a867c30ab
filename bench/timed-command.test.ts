import { describe, expect, it } from "vitest";
import { betweenMarks, type TimedLine } from "./timed-command.js";

function line(atMs: number, text: string, stream: TimedLine["stream"] = "stderr"): TimedLine {
  return { stream, atMs, text };
}

describe("betweenMarks", () => {
  it("counts from the command's start, not from the way into the sandbox", () => {
    const run = betweenMarks(
      ["kwokctl"],
      [
        line(130, "bench: begin"),
        line(180, "ready", "stdout"),
        line(200, "bench: end 3"),
        // Standard output is a stream of its own and may arrive after the end.
        line(201, "late", "stdout"),
      ],
    );
    expect(run.exitCode).toBe(3);
    expect(run.durationMs).toBe(70);
    expect(run.lines).toEqual([line(50, "ready", "stdout"), line(71, "late", "stdout")]);
  });

  it("shows the output of a command that never ended", () => {
    const received = [line(1, "bench: begin"), line(2, "waiting for etcd")];
    expect(() => betweenMarks(["sandkube", "up"], received)).toThrow(
      /sandkube up: not at its end in time\n[^]*waiting for etcd/,
    );
  });
});
