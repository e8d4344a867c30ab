import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it, vi } from "vitest";
import { bootSandbox } from "./boot-sandbox.js";
import { checkoutDirectory } from "./checkout.js";
import { runOnHost } from "./host-command.js";
import { networkNamespaces } from "./network-namespace.js";
import { sandboxDirectory } from "./sandbox-directory.js";

const coldBuildMs = 30 * 60_000;
const { signal } = new AbortController();
const main = fileURLToPath(new URL("main.ts", import.meta.url));
const lab = [process.execPath, "--import", "tsx", main];

function runLab(...args: string[]) {
  const options = { signal, timeoutMs: coldBuildMs, cwd: checkoutDirectory };
  return runOnHost([...lab, ...args], options);
}

describe("npm run lab", () => {
  it(
    "runs a command that has options of its own, and ends with its exit code",
    async () => {
      const result = await runLab(
        "g24",
        "--overlay2",
        "none",
        "--user",
        "1000",
        "sh",
        "-c",
        "id -u; exit 3",
      );
      expect(result).toMatchObject({ exitCode: 3, stdout: "1000\n" });
    },
    coldBuildMs,
  );

  it.each([
    [["g99"], "KIND is one of g26, g24, bare; not g99"],
    [["g24", "--overlay2", "some"], "--overlay2 is one of root:self, none; not some"],
    [["g24", "--unknown"], "Unknown option '--unknown'"],
    [["g24", "--user", "me", "id"], "--user is a number; not me"],
  ])("refuses %j", async (args, message) => {
    const result = await runLab(...args);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain(message);
  });

  it("explains itself", async () => {
    const result = await runLab("--help");
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain("npm run lab -- KIND");
  });

  it("ends the sandbox when it is killed, and the next boot removes what was left", async () => {
    const [program = "", ...args] = [...lab, "g24", "sleep", "6789"];
    const harness = spawn(program, args, { cwd: checkoutDirectory, stdio: "ignore" });
    const prefix = `sandkube-lab-${harness.pid}-`;
    const isRunning = async (): Promise<boolean> => {
      const table = await runOnHost(["ps", "-ewwo", "args"], { signal, timeoutMs: 10_000 });
      return table.stdout.includes(prefix);
    };
    const waitOptions = { timeout: 20_000, interval: 100 };
    await vi.waitFor(async () => expect(await isRunning()).toBe(true), waitOptions);
    const [name = ""] = await networkNamespaces(prefix, signal);
    expect(name).not.toBe("");
    const ended = once(harness, "exit");
    harness.kill("SIGKILL");
    await ended;
    await vi.waitFor(async () => expect(await isRunning()).toBe(false), waitOptions);
    await using _next = await bootSandbox({ kind: "bare", signal });
    expect(await networkNamespaces(prefix, signal)).toEqual([]);
    expect(existsSync(sandboxDirectory(name))).toBe(false);
  }, 60_000);
});
