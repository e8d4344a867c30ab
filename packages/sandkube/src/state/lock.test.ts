import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { SandkubeError } from "../errors.js";
import { temporaryDirectory } from "../platform/testing/temporary-directory.js";
import { acquireLock } from "./lock.js";

/** Another process that holds the lock. */
async function holdInAnotherProcess(file: string): Promise<ChildProcess> {
  const program = fileURLToPath(new URL("testing/hold-lock.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", program, file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  expect(said.toString()).toBe("held\n");
  return child;
}

test("a released lock can be taken again, and leaves no file", async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, "lock");
  for (let round = 0; round < 2; round += 1) {
    await using _lock = await acquireLock(file, { timeoutMs: 0 });
    expect(await fs.readdir(directory)).toEqual(["lock"]);
  }
  expect(await fs.readdir(directory)).toEqual([]);
});

test("a lock that another process holds is refused, and its holder named", async () => {
  const file = join(await temporaryDirectory(), "lock");
  const holder = await holdInAnotherProcess(file);
  const error = await acquireLock(file, { timeoutMs: 100 }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SandkubeError);
  expect(error).toMatchObject({ code: "E_LOCKED", details: { pid: holder.pid } });
});

test("whoever waits gets the lock of a killed holder", async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, "lock");
  const holder = await holdInAnotherProcess(file);
  const seen: number[] = [];
  const waiting = acquireLock(file, {
    timeoutMs: 20_000,
    onWait: ({ pid }) => {
      seen.push(pid);
      holder.kill("SIGKILL");
    },
  });
  await using _lock = await waiting;
  expect(seen[0]).toBe(holder.pid);
  expect(JSON.parse(await fs.readFile(file, "utf8"))).toMatchObject({ pid: process.pid });
});

test("one at a time takes over a dead holder's lock, however many try", async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, "lock");
  // A PID of this machine with a start time that it never had.
  await fs.writeFile(file, JSON.stringify({ pid: process.pid, startTicks: 1 }));
  let holders = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      await using _lock = await acquireLock(file, { timeoutMs: 20_000 });
      holders += 1;
      most = Math.max(most, holders);
      await fs.readFile(file);
      holders -= 1;
    }),
  );
  expect(most).toBe(1);
  expect(await fs.readdir(directory)).toEqual([]);
});

test("a lock file that can not be understood has no holder", async () => {
  const file = join(await temporaryDirectory(), "lock");
  await fs.writeFile(file, "{");
  await using _lock = await acquireLock(file, { timeoutMs: 0 });
  expect(JSON.parse(await fs.readFile(file, "utf8"))).toMatchObject({ pid: process.pid });
});

test("waiting for a lock can be aborted", async () => {
  const file = join(await temporaryDirectory(), "lock");
  await using _lock = await acquireLock(file, { timeoutMs: 0 });
  const controller = new AbortController();
  const waiting = acquireLock(file, {
    timeoutMs: 20_000,
    signal: controller.signal,
    onWait: () => controller.abort(new Error("enough")),
  });
  await expect(waiting).rejects.toThrow("enough");
});
