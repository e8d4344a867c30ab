import * as fs from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { sleep } from "./clock.js";
import { tailOf } from "./files.js";
import { runCommand, shellExitCode, spawnDetached } from "./processes.js";
import { temporaryDirectory } from "./testing/temporary-directory.js";

test("a command's output and exit code are captured", async () => {
  const result = await runCommand("sh", ["-c", "echo out; echo err >&2; exit 3"], {
    timeoutMs: 10_000,
  });
  expect(result).toEqual({
    exitCode: 3,
    signal: null,
    stdout: "out\n",
    stderr: "err\n",
    timedOut: false,
  });
});

test("a command reads what it is given on standard input", async () => {
  const result = await runCommand("cat", [], {
    timeoutMs: 10_000,
    stdin: Readable.from(["a", "b"]),
  });
  expect(result.stdout).toBe("ab");
});

test("a command that does not read its standard input is judged by its exit", async () => {
  const endless = Readable.from(
    (function* () {
      for (;;) yield "x".repeat(65_536);
    })(),
  );
  const result = await runCommand("false", [], { timeoutMs: 10_000, stdin: endless });
  expect(result.exitCode).toBe(1);
});

test("a command that takes too long is killed", async () => {
  const result = await runCommand("sleep", ["60"], { timeoutMs: 50 });
  expect(result).toMatchObject({ signal: "SIGKILL", timedOut: true });
});

test("an aborted command is killed and rejects with the signal's reason", async () => {
  const controller = new AbortController();
  const running = runCommand("sleep", ["60"], { timeoutMs: 60_000, signal: controller.signal });
  controller.abort(new Error("enough"));
  await expect(running).rejects.toThrow("enough");
});

test("a file that is not there can not be run", async () => {
  await expect(runCommand("/nonexistent/program", [], { timeoutMs: 1_000 })).rejects.toThrow(
    "ENOENT",
  );
});

test("a detached program leads a session of its own and appends its output to a file", async () => {
  const directory = await temporaryDirectory();
  const outputFile = join(directory, "output");
  await fs.writeFile(outputFile, "before\n");
  const child = await spawnDetached("sh", ["-c", "pwd; cut -d' ' -f6 /proc/$$/stat; exit 4"], {
    outputFile,
    workingDirectory: directory,
  });
  while (child.exitStatus() === null) await sleep(10);
  expect(child.exitStatus()).toEqual({ exitCode: 4, signal: null });
  expect(await tailOf(outputFile, 10)).toEqual(["before", directory, String(child.pid)]);
});

test.each([
  [{ exitCode: 7, signal: null }, 7],
  [{ exitCode: null, signal: "SIGTERM" as const }, 143],
])("%o is the shell's exit code %i", (status, code) => {
  expect(shellExitCode(status)).toBe(code);
});
