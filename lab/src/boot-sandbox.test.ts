import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { bootSandbox } from "./boot-sandbox.js";
import { requireOnHost } from "./host-command.js";
import { networkNamespaces } from "./network-namespace.js";
import { prepare } from "./prepare.js";
import { sandboxDirectory } from "./sandbox-directory.js";
import { sandboxKinds, type Sandbox } from "./sandbox.js";

const coldBuildMs = 30 * 60_000;
const { signal } = new AbortController();

beforeAll(async () => {
  await prepare({ kinds: sandboxKinds, userlands: ["bookworm", "trixie"], signal });
}, coldBuildMs);

describe.each(sandboxKinds)("%s", (kind) => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await bootSandbox({ kind, signal });
  });
  afterAll(async () => {
    await sandbox[Symbol.asyncDispose]();
  });

  it("has the kernel it names", async () => {
    const releases = { g26: "4.19.0-gvisor", g24: "4.4.0" };
    const own = await readFile("/proc/sys/kernel/osrelease", "utf8");
    const { stdout } = await sandbox.exec(["uname", "-r"]);
    expect(stdout.trim()).toBe(kind === "bare" ? own.trim() : releases[kind]);
  });

  it("passes input, both outputs and the exit code through", async () => {
    const script = "cat; echo problem > /dev/stderr; exit 7";
    const result = await sandbox.exec(["sh", "-c", script], { stdin: "input" });
    expect(result).toEqual({ exitCode: 7, stdout: "input", stderr: "problem\n" });
  });

  it("reports a missing program as a shell does", async () => {
    expect((await sandbox.exec(["no-such-program"])).exitCode).toBe(127);
  });

  it("sets environment and working directory", async () => {
    const options = { env: { LAB_NAME: "a b" }, cwd: "/usr" };
    const { stdout } = await sandbox.exec(["sh", "-c", "pwd; env | grep LAB_NAME"], options);
    expect(stdout).toBe("/usr\nLAB_NAME=a b\n");
  });

  it("runs as an unprivileged user without any capability", async () => {
    const script = "id -u; grep CapBnd /proc/self/status; touch ~/file && echo writable";
    const { stdout } = await sandbox.exec(["sh", "-c", script], { user: 1000 });
    expect(stdout).toMatch(/^1000\nCapBnd:\s+0{16}\nwritable\n$/);
  });

  it("gives a terminal", async () => {
    const script = "test -t 0 && test -t 1 && stty size; exit 5";
    const result = await sandbox.exec(["sh", "-c", script], { tty: true });
    expect(result).toMatchObject({ exitCode: 5, stdout: "24 80\r\n" });
  });

  it("delivers signals to the process inside", async () => {
    const script = `trap "exit 9" INT; echo up; while :; do sleep 0.1; done`;
    const child = sandbox.spawn(["sh", "-c", script]);
    await new Promise((resolve) => child.stdout.once("data", resolve));
    await child.kill("SIGINT");
    expect(await child.exited).toBe(9);

    const killed = sandbox.spawn(["sleep", "1234"]);
    await killed.kill("SIGKILL");
    expect(await killed.exited).toBe(137);
    expect((await sandbox.processes()).map(({ command }) => command)).not.toContain("sleep 1234");
  });

  it("names the command and its last output when time is up, and kills it", async () => {
    const options = { timeoutMs: 1_000 };
    const command = sandbox.exec(["sh", "-c", "echo so far; exec sleep 2345"], options);
    await expect(command).rejects.toMatchObject({
      code: "E_LAB_TIMEOUT",
      message: expect.stringMatching(/sleep 2345: not done in 1000 ms[^]*so far/),
    });
    expect((await sandbox.processes()).map(({ command: line }) => line)).not.toContain(
      "sleep 2345",
    );
  });

  it("kills the command when its signal fires", async () => {
    const controller = new AbortController();
    const command = sandbox.exec(["sleep", "3456"], { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(command).rejects.toThrow("enough");
    await vi.waitFor(async () => {
      const lines = (await sandbox.processes()).map(({ command: line }) => line);
      expect(lines).not.toContain("sleep 3456");
    });
  });

  it("reaps orphans", async () => {
    await sandbox.exec(["sh", "-c", "(sleep 0.1 &) ; exit 0"]);
    await vi.waitFor(async () => expect(await sandbox.processes()).toEqual([]));
  });

  it("lets root make mounts and links", async () => {
    const script = [
      "mount -t tmpfs tmpfs /mnt",
      "ip link add lab0 type bridge",
      "ip link add lab1 type veth peer name lab2",
      "ip link set lab1 master lab0",
      "ip link delete lab1",
      "ip link delete lab0",
    ].join(" && ");
    const result = await sandbox.exec(["unshare", "--mount", "sh", "-c", script]);
    expect(result).toMatchObject({ exitCode: 0, stderr: "" });
  });

  it("shows the checkout, read-only under gVisor, and its Node runs", async () => {
    const readme = join(sandbox.checkout, "lab/README.md");
    const count = `console.log(require("fs").readFileSync("${readme}").length > 0)`;
    expect((await sandbox.exec(["node", "-e", count])).stdout).toBe("true\n");
    if (kind === "bare") return;
    expect((await sandbox.exec(["touch", `${sandbox.checkout}/file`])).stderr).toMatch(
      /read-only file system/i,
    );
  });
});

describe.each(sandboxKinds)("the end of %s", (kind) => {
  it("leaves no namespace, process, directory or cgroup", async () => {
    const sandbox = await bootSandbox({ kind, signal });
    const { name } = sandbox;
    expect(await networkNamespaces(name, signal)).toEqual([name]);
    const running = sandbox.spawn(["sleep", "4567"]);
    await sandbox[Symbol.asyncDispose]();
    await running.exited;
    expect(await networkNamespaces(name, signal)).toEqual([]);
    expect(existsSync(sandboxDirectory(name))).toBe(false);
    expect(await readFile("/proc/self/mounts", "utf8")).not.toContain(name);
    const processes = await requireOnHost(["ps", "-ewwo", "args"], { signal, timeoutMs: 10_000 });
    expect(processes).not.toContain(name);
    const cgroups = ["find", "/sys/fs/cgroup", "-maxdepth", "2", "-name", name];
    expect(await requireOnHost(cgroups, { signal, timeoutMs: 10_000 })).toBe("");
    expect(() => sandbox.spawn(["true"])).toThrow("is disposed");
  });

  it("is named as the cause when the sandbox dies under a command", async () => {
    await using sandbox = await bootSandbox({ kind, signal });
    const command = sandbox.exec(["sleep", "5678"]);
    const killAll = `ip netns pids ${sandbox.name} | xargs kill -9 || true`;
    await requireOnHost(["sh", "-c", killAll], { signal, timeoutMs: 10_000 });
    await expect(command).rejects.toMatchObject({ code: "E_LAB_SANDBOX_DIED" });
    await expect(sandbox.exec(["true"])).rejects.toMatchObject({ code: "E_LAB_SANDBOX_DIED" });
  });
});

describe.each(["g26", "g24"] as const)("variants of %s", (kind) => {
  it("has a 9p root, which starts fresh in each sandbox", async () => {
    const script = "grep ' / ' /proc/mounts | cut -d' ' -f3; ls /only-here; touch /only-here";
    for (const boot of [1, 2]) {
      await using sandbox = await bootSandbox({ kind, overlay2: "none", signal });
      const { stdout, exitCode } = await sandbox.exec(["sh", "-c", script]);
      expect({ boot, stdout, exitCode }).toEqual({ boot, stdout: "9p\n", exitCode: 0 });
    }
  });

  it("has a root in a directory of this machine, which starts fresh too", async () => {
    const options = { kind, overlay2: "none", rootBacking: "directory", signal } as const;
    await using sandbox = await bootSandbox(options);
    const script = "ls /only-here || touch /only-here";
    expect((await sandbox.exec(["sh", "-c", script])).exitCode).toBe(0);
    expect((await sandbox.exec(["node", "--version"])).exitCode).toBe(0);
    expect(existsSync(join(sandboxDirectory(sandbox.name), "root/only-here"))).toBe(true);
  });

  it("has raw sockets only when asked", async () => {
    const held = ["sh", "-c", "grep CapEff /proc/self/status | cut -f2"];
    const netRawBit = 1n << 13n;
    for (const netRaw of [false, true]) {
      await using sandbox = await bootSandbox({ kind, netRaw, signal });
      const { stdout } = await sandbox.exec(held);
      expect((BigInt(`0x${stdout.trim()}`) & netRawBit) !== 0n).toBe(netRaw);
    }
  });

  it("has a default route, or loopback alone", async () => {
    const devices = ["sh", "-c", "ip -o link | cut -d: -f2 | sort; ip route | grep -c default"];
    for (const network of ["sandbox", "none"] as const) {
      await using sandbox = await bootSandbox({ kind, network, signal });
      const { stdout } = await sandbox.exec(devices);
      expect(stdout).toBe(network === "sandbox" ? " eth0\n lo\n1\n" : " lo\n0\n");
      expect(sandbox.link === null).toBe(network === "none");
    }
  });

  it("has the userland of trixie", async () => {
    await using sandbox = await bootSandbox({ kind, userland: "trixie", signal });
    const { stdout } = await sandbox.exec(["cat", "/etc/os-release"]);
    expect(stdout).toContain("VERSION_CODENAME=trixie");
    expect((await sandbox.exec(["node", "--version"])).exitCode).toBe(0);
  });

  it("shows further directories of this machine", async () => {
    const source = await mkdtemp(join(tmpdir(), "lab-images-"));
    await writeFile(join(source, "image.tar"), "layers");
    const writable = { source, destination: "/given", writable: true };
    const options = { imagesDirectory: source, extraMounts: [writable] };
    await using sandbox = await bootSandbox({ kind, ...options, signal });
    const image = sandbox.pathInside(join(source, "image.tar"));
    expect(image).toBe("/images/image.tar");
    expect((await sandbox.exec(["cat", image])).stdout).toBe("layers");
    expect((await sandbox.exec(["touch", "/images/no"])).exitCode).not.toBe(0);
    await sandbox.exec(["sh", "-c", "echo back > /given/file"]);
    expect(await readFile(join(source, "file"), "utf8")).toBe("back\n");
    await rm(source, { recursive: true });
  });
});

it("names the choices that bare does not have", async () => {
  const booting = bootSandbox({ kind: "bare", netRaw: true, signal });
  await expect(booting).rejects.toMatchObject({ code: "E_LAB_USAGE" });
});
