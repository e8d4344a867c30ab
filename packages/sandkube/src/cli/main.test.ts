import { spawn } from "node:child_process";
import { access, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { runCommand, type CommandResult } from "../platform/processes.js";
import { temporaryDirectory } from "../platform/testing/temporary-directory.js";
import { makeProgramsDirectory } from "../runtime/testing/programs-directory.js";

const packageDirectory = fileURLToPath(new URL("../..", import.meta.url));
const main = join(packageDirectory, "dist", "cli", "main.js");

beforeAll(async () => {
  const build = await runCommand("npm", ["run", "build", "--prefix", packageDirectory], {
    timeoutMs: 120_000,
  });
  if (build.exitCode !== 0) throw new Error(build.stdout + build.stderr);
}, 120_000);

interface Surroundings {
  SANDKUBE_DATA: string;
  SANDKUBE_PROGRAMS: string;
}

/** A data directory without clusters, and no programs. */
async function nothingInstalled(): Promise<Surroundings> {
  const directory = await temporaryDirectory();
  return {
    SANDKUBE_DATA: join(directory, "data"),
    SANDKUBE_PROGRAMS: join(directory, "programs"),
  };
}

async function sandkube(args: string[], surroundings?: Surroundings): Promise<CommandResult> {
  const environment = { ...process.env, ...(surroundings ?? (await nothingInstalled())) };
  return await runCommand(process.execPath, [main, ...args], { timeoutMs: 30_000, environment });
}

test("the library and the command line are few files, with the licences of what is in them", async () => {
  const dist = join(packageDirectory, "dist");
  const files = await readdir(dist, { recursive: true });
  expect(files.filter((file) => file.endsWith(".js")).toSorted()).toEqual([
    "chunks/quick.js",
    "cli/main.js",
    "index.js",
    "quick.js",
  ]);
  const notices = await readFile(join(dist, "THIRD-PARTY-NOTICES.txt"), "utf8");
  for (const holder of ["TJ Holowaychuk", "Colin McDonnell"]) expect(notices).toContain(holder);
});

test.each([
  { part: "cli/main.js", without: "node:child_process" },
  { part: "chunks/quick.js", without: "node:https" },
])("$part, which is to load quickly, does so without $without", async ({ part, without }) => {
  const code = await readFile(join(packageDirectory, "dist", part), "utf8");
  expect(code).not.toContain(`"${without}"`);
});

test.each([
  { args: ["--help"], says: "Usage: sandkube" },
  { args: ["up", "--help"], says: "--control-plane" },
  { args: ["image", "load", "--help"], says: "archive" },
  { args: ["--version"], says: "0." },
])("sandkube $args prints on standard output and succeeds", async ({ args, says }) => {
  const result = await sandkube(args);
  expect(result).toMatchObject({ exitCode: 0, stderr: "" });
  expect(result.stdout).toContain(says);
});

test.each([
  { args: ["up", "--no-such-flag"], says: "--no-such-flag" },
  { args: ["no-such-command"], says: "no-such-command" },
  { args: ["up", "--api-port", "http"], says: "between 1 and 65535" },
  { args: ["up", "--timeout", "soon"], says: "duration" },
  { args: ["image", "load"], says: "archive" },
  { args: ["logs", "--tail", "-3"], says: "whole number" },
  { args: ["logs", "no-such-part"], says: "no-such-part" },
  { args: ["explain", "no-such-id"], says: "no-such-id" },
])("sandkube $args is a usage error", async ({ args, says }) => {
  const result = await sandkube(args);
  expect(result.exitCode).toBe(2);
  expect(result.stdout).toBe("");
  expect(result.stderr).toContain(says);
  expect(result.stderr).toContain("(E_USAGE)");
  expect(result.stderr).toContain("Hint: ");
});

test("a usage error names the command to look at, and is JSON where that is asked for", async () => {
  const { exitCode, stdout } = await sandkube(["image", "list", "--json", "--nmae", "one"]);
  expect(exitCode).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({
    type: "error",
    error: {
      code: "E_USAGE",
      message: "unknown option '--nmae' (Did you mean --name?)",
      hint: "`sandkube image list --help` shows what can be said.",
    },
  });
});

test.each([
  { args: ["up"], exitCode: 12, says: "E_PROGRAMS_MISSING" },
  { args: ["doctor"], exitCode: 12, says: "E_PROGRAMS_MISSING" },
  { args: ["kubectl", "get", "pods"], exitCode: 12, says: "E_PROGRAMS_MISSING" },
  { args: ["up", "--name", "No_Name"], exitCode: 10, says: "E_CONFIG" },
  { args: ["up", "--pod-range", "10.43.0.0/16"], exitCode: 10, says: "overlaps" },
  { args: ["status"], exitCode: 19, says: "there is no cluster default" },
  { args: ["--name", "one", "status"], exitCode: 19, says: "there is no cluster one" },
  { args: ["status", "--name", "one"], exitCode: 19, says: "there is no cluster one" },
  { args: ["down"], exitCode: 19, says: "sandkube up" },
  { args: ["delete"], exitCode: 19, says: "E_CLUSTER_NOT_FOUND" },
  { args: ["kubeconfig", "merge"], exitCode: 19, says: "E_CLUSTER_NOT_FOUND" },
  { args: ["export", "logs"], exitCode: 19, says: "E_CLUSTER_NOT_FOUND" },
  { args: ["status", "--watch"], exitCode: 19, says: "E_CLUSTER_NOT_FOUND" },
  { args: ["programs", "verify"], exitCode: 12, says: "E_PROGRAMS_MISSING" },
  { args: ["programs", "install"], exitCode: 13, says: "E_PROGRAMS_MISMATCH" },
  { args: ["up", "--config", "/no/such/file"], exitCode: 10, says: "/no/such/file" },
  { args: ["config", "check", "/dev/null"], exitCode: 10, says: "not a mapping" },
  { args: ["kubeconfig"], exitCode: 19, says: "E_CLUSTER_NOT_FOUND" },
  { args: ["logs"], exitCode: 19, says: "E_CLUSTER_NOT_FOUND" },
  { args: ["image", "list"], exitCode: 19, says: "E_CLUSTER_NOT_FOUND" },
])("sandkube $args fails with exit code $exitCode", async ({ args, exitCode, says }) => {
  const result = await sandkube(args);
  expect(result.exitCode).toBe(exitCode);
  expect(result.stdout).toBe("");
  expect(result.stderr).toContain(says);
  expect(result.stderr).not.toContain("    at ");
});

test("with --json an error is one line of JSON on standard output", async () => {
  const result = await sandkube(["status", "--json"]);
  expect(JSON.parse(result.stdout)).toMatchObject({
    type: "error",
    error: { code: "E_CLUSTER_NOT_FOUND", exitCode: 19 },
  });
});

test("listing and versions work where nothing is installed", async () => {
  expect(JSON.parse((await sandkube(["list", "--json"])).stdout)).toEqual([]);
  expect(JSON.parse((await sandkube(["version", "--json"])).stdout)).toMatchObject({
    programs: null,
    missing: { code: "E_PROGRAMS_MISSING" },
  });
});

test("a tool gets its arguments untouched, and its exit code is passed through", async () => {
  const surroundings = await nothingInstalled();
  const version = (await sandkube(["--version"])).stdout.trim();
  await makeProgramsDirectory(surroundings.SANDKUBE_PROGRAMS, version);
  const runtime = join(surroundings.SANDKUBE_PROGRAMS, "sandkube-runtime");
  await writeFile(runtime, '#!/bin/sh\nprintf "%s\\n" "$@" "$KUBECONFIG"\nexit 7\n');
  const args = ["exec", "-it", "pod", "--", "sh", "-c", "exit 7", "--help", "--name"];
  const result = await sandkube(["kubectl", ...args], surroundings);
  expect(result.stdout.trimEnd().split("\n")).toEqual([
    "kubectl",
    ...args,
    join(surroundings.SANDKUBE_DATA, "default", "kubeconfig"),
  ]);
  expect(result.exitCode).toBe(7);
  expect(result.stderr).toContain("there is no cluster default");
});

test.each(["--help", "--version", "-n"])("%s alone is the tool's", async (flag) => {
  const surroundings = await nothingInstalled();
  const version = (await sandkube(["--version"])).stdout.trim();
  await makeProgramsDirectory(surroundings.SANDKUBE_PROGRAMS, version);
  const runtime = join(surroundings.SANDKUBE_PROGRAMS, "sandkube-runtime");
  await writeFile(runtime, '#!/bin/sh\nprintf "%s\\n" "$@"\n');
  const result = await sandkube(["kubectl", flag], surroundings);
  expect(result).toMatchObject({ exitCode: 0, stdout: `kubectl\n${flag}\n` });
});

test("a reader that closes the pipe early is no failure", async () => {
  const result = await runCommand(
    "bash",
    ["-c", '"$0" "$1" explain | true; echo "${PIPESTATUS[0]}"', process.execPath, main],
    { timeoutMs: 30_000 },
  );
  expect(result).toMatchObject({ stdout: "0\n", stderr: "" });
});

test.each([
  ["up", 12],
  ["up --json", 12],
  ["status --json", 19],
])("%s fails with its own exit code when nobody reads its output", async (command, exitCode) => {
  const { SANDKUBE_DATA, SANDKUBE_PROGRAMS } = await nothingInstalled();
  const result = await runCommand(
    "bash",
    ["-c", `"$0" "$1" ${command} 2>&1 | true; echo "\${PIPESTATUS[0]}"`, process.execPath, main],
    { timeoutMs: 30_000, environment: { ...process.env, SANDKUBE_DATA, SANDKUBE_PROGRAMS } },
  );
  expect(result).toMatchObject({ stdout: `${exitCode}\n`, stderr: "" });
});

test.each(["bash", "zsh", "fish"])("the completion for %s is a script that asks", async (shell) => {
  const { stdout, exitCode } = await sandkube(["completion", shell]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain("__complete --");
});

test("completion answers with candidates, or that files come, and never with an error", async () => {
  const asked = async (...words: string[]) => await sandkube(["__complete", "--", ...words]);
  expect(await asked("image", "sa")).toMatchObject({
    exitCode: 0,
    stdout: "save\twrite images into an archive\n:4\n",
  });
  expect(await asked("image", "load", "")).toMatchObject({ exitCode: 0, stdout: ":0\n" });
  expect(await asked("image", "rm", "")).toMatchObject({ exitCode: 1, stdout: "", stderr: "" });
});

test("interrupted work ends with exit code 130", async () => {
  const surroundings = await nothingInstalled();
  const version = (await sandkube(["--version"])).stdout.trim();
  await makeProgramsDirectory(surroundings.SANDKUBE_PROGRAMS, version);
  const probe = join(surroundings.SANDKUBE_PROGRAMS, "sandkube-oci");
  await writeFile(probe, "#!/bin/sh\nexec sleep 60\n");
  const child = spawn(process.execPath, [main, "up"], {
    env: { ...process.env, ...surroundings },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  let interrupts = 0;
  child.stderr.on("data", (data: Buffer) => {
    said += data.toString();
    if (!said.includes("existing cluster") || interrupts > 0) return;
    interrupts += 1;
    child.kill("SIGINT");
  });
  const exitCode = await new Promise((resolve) => child.once("exit", resolve));
  expect(exitCode).toBe(130);
  expect(said).toContain("E_CANCELLED");
  await expect(access(surroundings.SANDKUBE_DATA)).rejects.toThrow("ENOENT");
});
