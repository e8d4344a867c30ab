import { describe, expect, it } from "vitest";
import { sandboxForSuite } from "./harness/suites.js";
import { tracesOf } from "./harness/traces.js";

const record = "/var/lib/sandkube/default/cluster.json";

/** Commands that need to know what the cluster's record says. */
const readers = [
  ["up"],
  ["status"],
  ["status", "--watch"],
  ["kubeconfig"],
  ["kubeconfig", "merge"],
  ["image", "list"],
  ["ports"],
];

/** Makes Node say that it runs somewhere else: no test machine has another kernel or processor. */
const pretend = (property: "platform" | "arch", value: string) => ({
  NODE_OPTIONS: `--import "data:text/javascript,Object.defineProperty(process,'${property}',{value:'${value}'})"`,
});

describe("bad surroundings in g26", () => {
  const sandkube = sandboxForSuite({ kind: "g26" });

  it("a record that was cut off is named by every command, and delete works all the same", async () => {
    const { sandbox } = sandkube();
    const before = await tracesOf(sandbox);
    await sandkube().do(["up", "--control-plane"]);

    const other = await sandkube().run(["up", "--control-plane", "--api-port", "7777"]);
    expect(other).toMatchObject({ exitCode: 21, stdout: "" });
    expect(other.stderr).toMatch(/apiPort.*6443.*7777|apiPort.*7777.*6443/);

    expect(await sandbox.exec(["truncate", "-s", "60", record])).toMatchObject({ exitCode: 0 });
    for (const command of readers) {
      const { exitCode, stderr } = await sandkube().run(command);
      expect({ command, exitCode, stderr }).toEqual({
        command,
        exitCode: 22,
        stderr: expect.stringContaining(`${record} is unreadable`) as string,
      });
      expect(stderr).toContain("`sandkube delete`");
    }
    const list = await sandkube().run(["list"]);
    expect(list.stdout).toMatch(/^default +unreadable$/m);
    expect(list.stderr).toContain(record);
    await sandkube().do(["export", "logs", "--output", "/tmp/logs.tar.gz"]);
    await sandbox.exec(["rm", "/tmp/logs.tar.gz"]);

    await sandkube().do(["delete"]);
    expect(await tracesOf(sandbox)).toEqual(before);
  });

  it.each(["up --control-plane 2>&1", "up --control-plane --json"])(
    "sandkube %s makes a whole cluster though nobody reads its output",
    async (command) => {
      const script = `sandkube ${command} | head -n 1; echo "\${PIPESTATUS[0]}"`;
      const options = { timeoutMs: 200_000 };
      const { stdout } = await sandkube().sandbox.exec(["bash", "-c", script], options);
      expect(stdout.trim().split("\n").at(-1)).toBe("0");
      expect((await sandkube().status()).state).toBe("running");
      await sandkube().do(["delete"]);
    },
  );

  it("elsewhere than on Linux it says so, and what needs no cluster works", async () => {
    const env = pretend("platform", "darwin");
    for (const command of [
      ["up"],
      ["doctor"],
      ["kubectl", "get", "pods"],
      ["programs", "verify"],
    ]) {
      const { exitCode, stderr } = await sandkube().run(command, { env });
      expect({ command, exitCode }).toEqual({ command, exitCode: 11 });
      expect(stderr).toContain("clusters run on Linux only, this is darwin");
    }
    expect(await sandkube().do(["config", "schema"], { env })).toContain("apiPort");
    expect(JSON.parse(await sandkube().do(["list", "--json"], { env }))).toEqual([]);
  });

  it("programs for another processor are refused", async () => {
    const { exitCode, stderr } = await sandkube().run(["up"], { env: pretend("arch", "arm64") });
    expect(exitCode).toBe(28);
    expect(stderr).toContain("x64");
    expect(stderr).toContain("arm64");
  });

  it("programs of another version are refused, with both versions", async () => {
    const script = `mkdir /other; ln -s "$SANDKUBE_PROGRAMS"/* /other
sed 's/"version": *"[^"]*"/"version": "9.8.7"/' "$SANDKUBE_PROGRAMS/programs.json" > /tmp/programs.json
mv /tmp/programs.json /other/programs.json
version=$(sandkube --version)
SANDKUBE_PROGRAMS=/other sandkube up; code=$?
rm -r /other; echo "$version"; exit $code`;
    const { exitCode, stdout, stderr } = await sandkube().sandbox.exec(["sh", "-c", script]);
    expect(exitCode).toBe(13);
    expect(stderr).toContain("9.8.7");
    expect(stderr).toContain(stdout.trim());
    expect(stderr).toContain("Install both of the same version");
  });

  it.each([
    [
      "unknown settings and wrong types, all at once",
      "podRnage: 10.1.0.0/16\napiPort: many",
      ["podRnage", "apiPort"],
    ],
    ["ranges that overlap", "podRange: 10.43.128.0/17", ["podRange", "overlaps"]],
    ["a publication of another form", 'publish: ["8080"]', ["8080", "HOST-PORT"]],
    ["another schema", "", ["apiVersion"]],
  ])("a configuration with %s is refused", async (_what, settings, says) => {
    const header =
      settings === "" ? "apiVersion: sandkube.dev/v9" : "apiVersion: sandkube.dev/v1alpha1";
    const stdin = `${header}\nkind: Cluster\n${settings}\n`;
    for (const command of [
      ["config", "check", "-"],
      ["up", "--config", "-"],
    ]) {
      const { exitCode, stderr } = await sandkube().run(command, { stdin });
      expect({ command, exitCode }).toEqual({ command, exitCode: 10 });
      for (const word of says) expect(stderr).toContain(word);
    }
    expect(JSON.parse(await sandkube().do(["list", "--json"]))).toEqual([]);
  });
});
