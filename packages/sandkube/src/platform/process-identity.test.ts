import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import {
  identifyProcess,
  identifySelf,
  isRunning,
  listProcesses,
  parseStat,
  signalProcess,
} from "./process-identity.js";

const statFields = "S 7 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 123456 1000 100";

test.each([
  ["a plain name", "42 (node) "],
  ["a name with a blank", "42 (Web Content) "],
  ["a name that looks like the end of a name", "42 (a) S 1 (b)) "],
])("the start time is read behind %s", (_name, head) => {
  expect(parseStat(head + statFields)).toEqual({ state: "S", parentPid: 7, startTicks: 123456 });
});

test("a text that is no stat file has no start time", () => {
  expect(parseStat("")).toBeNull();
  expect(parseStat("42 (node) S")).toBeNull();
});

test("a process is running until it ends, and the identity does not fit another start time", async () => {
  const child = spawn("sleep", ["60"]);
  await once(child, "spawn");
  const identity = await identifyProcess(child.pid ?? 0);
  if (identity === null) throw new Error("the child has no identity");
  expect(await isRunning(identity)).toBe(true);
  const impostor = { ...identity, startTicks: identity.startTicks - 1 };
  expect(await isRunning(impostor)).toBe(false);
  expect(await signalProcess(impostor, "SIGKILL")).toBe(false);
  expect(await signalProcess(identity, "SIGKILL")).toBe(true);
  expect((await once(child, "exit"))[1]).toBe("SIGKILL");
  expect(await isRunning(identity)).toBe(false);
  expect(await signalProcess(identity, "SIGKILL")).toBe(false);
});

test("this process is among all processes, with its command line", async () => {
  const self = await identifySelf();
  const found = (await listProcesses()).find(({ pid }) => pid === self.pid);
  expect(found?.startTicks).toBe(self.startTicks);
  expect(found?.commandLine[0]).toContain("node");
});
