import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { descendants, memoryBytes, parseStat, processorMs } from "./host-processes.js";

describe("parseStat", () => {
  it("adds up own time and that of ended children, whatever the name", () => {
    const text = "42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 5 6 7";
    expect(parseStat(text)).toEqual({ pid: 42, parentPid: 7, processorMs: 1_000 });
  });
});

describe("descendants", () => {
  it("finds what lies below a process, at any depth and in any order", () => {
    const process = (pid: number, parentPid: number) => ({ pid, parentPid, processorMs: 0 });
    const all = [process(4, 3), process(3, 2), process(2, 1), process(9, 1)];
    expect(descendants(2, all).map(({ pid }) => pid)).toEqual([2, 3, 4]);
    expect(descendants(5, all)).toEqual([]);
  });
});

describe("a process of this machine", () => {
  it("has used the time of a child that has ended, and holds the memory of one that runs", async () => {
    const burn = "const end = Date.now() + 400; while (Date.now() < end);";
    const script = `
      require("node:child_process").spawnSync(process.execPath, ["-e", ${JSON.stringify(burn)}]);
      const child = require("node:child_process").spawn(process.execPath,
        ["-e", "globalThis.held = Buffer.alloc(100e6, 1); console.log('held'); setInterval(() => {}, 1000)"],
        { stdio: ["pipe", "inherit", "inherit"] });
      process.stdin.resume().on("end", () => { child.kill("SIGKILL"); process.exit(); });
    `;
    const child = spawn(process.execPath, ["-e", script], { stdio: ["pipe", "pipe", "inherit"] });
    try {
      await once(child.stdout, "data");
      expect(await processorMs(child.pid ?? 0)).toBeGreaterThanOrEqual(100);
      expect(await memoryBytes(child.pid ?? 0)).toBeGreaterThan(100e6);
    } finally {
      child.stdin.end();
      await once(child, "exit");
    }
    expect(await processorMs(child.pid ?? 0)).toBe(0);
  });
});
