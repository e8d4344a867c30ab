import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { runLineCommand } from "./line-command.js";

const timeoutMs = 60_000;

test("lines come as they are written, and the end says how it went", async () => {
  const lines: string[] = [];
  const script = "cat; echo trouble >&2; exit 3";
  const ended = await runLineCommand("sh", ["-c", script], {
    timeoutMs,
    stdin: Readable.from(["one\ntwo\n"]),
    onLine: (line) => lines.push(line),
  });
  expect(lines).toEqual(["one", "two"]);
  expect(ended).toEqual({ exitCode: 3, signal: null, errorLines: ["trouble"], timedOut: false });
});

test("an aborted command can clean up, and its caller gets the reason", async () => {
  const lines: string[] = [];
  const abort = new AbortController();
  const script = "trap 'echo cleaned; exit' TERM; echo ready; while :; do sleep 0.05; done";
  const running = runLineCommand("sh", ["-c", script], {
    timeoutMs,
    signal: abort.signal,
    onLine(line) {
      lines.push(line);
      if (line === "ready") abort.abort(new Error("enough"));
    },
  });
  await expect(running).rejects.toThrow("enough");
  expect(lines).toEqual(["ready", "cleaned"]);
});

test("a command that takes too long is interrupted", async () => {
  const ended = await runLineCommand("sleep", ["60"], { timeoutMs: 20, onLine() {} });
  expect(ended).toMatchObject({ signal: "SIGTERM", timedOut: true });
});
