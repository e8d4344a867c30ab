import * as fs from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { ClusterOptionsInput } from "../config/cluster-options.js";
import type { ProgressEvent } from "../events.js";
import { exists, writeJsonAtomically } from "../platform/files.js";
import { temporaryDirectory } from "../platform/testing/temporary-directory.js";
import { packageVersion } from "../runtime/package-version.js";
import { makeProgramsDirectory } from "../runtime/testing/programs-directory.js";
import { recordedFacts } from "../sandbox/testing/recorded-facts.js";
import { clusterPaths } from "../state/cluster-paths.js";
import { up } from "./up.js";

/** Programs that print a recorded sandbox's facts, and a supervisor that ends at once. */
async function sandbox(name: string) {
  const root = await temporaryDirectory();
  const programs = await makeProgramsDirectory(join(root, "programs"), await packageVersion());
  await writeJsonAtomically(join(root, "facts.json"), recordedFacts(name));
  const script = async (program: string, text: string) => {
    await fs.writeFile(join(programs, program), `#!/bin/sh\n${text}\n`);
  };
  await script("sandkube-oci", `cat ${join(root, "facts.json")}`);
  await script("sandkube-supervisor", "echo 'starting' >&2; echo 'no keys' >&2; exit 3");
  const dataDirectory = join(root, "data");
  const events: ProgressEvent[] = [];
  const run = (input: Partial<ClusterOptionsInput> = {}, signal?: AbortSignal) =>
    up({
      input: { dataDirectory, apiPort: 46_443, kubeletPort: 46_250, ...input },
      programsOverride: programs,
      environment: {},
      signal: signal ?? new AbortController().signal,
      emit: (event) => events.push(event),
    });
  return { dataDirectory, paths: clusterPaths(dataDirectory, "default"), events, run, script };
}

test("a supervisor that ends at once fails with its last words; its log is all that is kept", async () => {
  const { dataDirectory, run } = await sandbox("full-kernel");
  const log = join(dataDirectory, "default.failed-logs", "supervisor.log");
  await expect(run()).rejects.toMatchObject({
    code: "E_START",
    message: "the supervisor ended with exit code 3: no keys",
    details: { output: ["starting", "no keys"], log },
  });
  expect(await fs.readFile(log, "utf8")).toBe("starting\nno keys\n");
  expect(await fs.readdir(dataDirectory)).toEqual(["default.failed-logs"]);
});

test("with retain everything is kept, and the next up starts anew with other settings", async () => {
  const { paths, events, run } = await sandbox("full-kernel");
  await expect(run({ retain: true })).rejects.toMatchObject({
    code: "E_START",
    hint: expect.stringContaining(paths.directory) as string,
  });
  expect(await exists(paths.nodeSpec)).toBe(true);
  events.length = 0;
  await expect(run({ apiPort: 46_444, retain: true })).rejects.toMatchObject({ code: "E_START" });
  expect(events).toContainEqual(
    expect.objectContaining({
      step: "existing-cluster",
      result: "left unfinished by an earlier up",
    }),
  );
  const spec = JSON.parse(await fs.readFile(paths.nodeSpec, "utf8")) as {
    controlPlane: { port: number };
  };
  expect(spec.controlPlane.port).toBe(46_444);
});

test("a port that is taken is refused with its owner, before anything starts", async () => {
  const { dataDirectory, run } = await sandbox("full-kernel");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  await expect(run({ apiPort: port })).rejects.toMatchObject({
    code: "E_PORT_TAKEN",
    hint: expect.stringContaining("--api-port") as string,
    details: { port, owner: { pid: process.pid } },
  });
  expect(await exists(dataDirectory)).toBe(false);
});

test("a user without privileges is offered --control-plane", async () => {
  const { dataDirectory, run } = await sandbox("unprivileged");
  await expect(run()).rejects.toMatchObject({
    code: "E_PRIVILEGE",
    hint: expect.stringContaining("--control-plane") as string,
  });
  expect(await exists(dataDirectory)).toBe(false);
});

test("the same user gets as far as the supervisor with --control-plane, without a probe", async () => {
  const { events, run, script } = await sandbox("unprivileged");
  await script("sandkube-oci", "exit 1");
  await expect(run({ mode: "control-plane" })).rejects.toMatchObject({ code: "E_START" });
  expect(events).toContainEqual({ type: "mode-chosen", mode: "control-plane", reason: "as asked" });
});

test("an unreadable record is reported, and nothing is touched", async () => {
  const { paths, run } = await sandbox("full-kernel");
  await fs.mkdir(paths.directory, { recursive: true });
  await fs.writeFile(paths.record, "{");
  await expect(run()).rejects.toMatchObject({ code: "E_STATE" });
  expect(await fs.readFile(paths.record, "utf8")).toBe("{");
});

test("an abort ends the running step and leaves nothing", async () => {
  const { dataDirectory, events, run, script } = await sandbox("full-kernel");
  await script("sandkube-oci", "exec sleep 60");
  const controller = new AbortController();
  const running = run({}, controller.signal);
  await expect.poll(() => events).toContainEqual(expect.objectContaining({ step: "probe" }));
  controller.abort();
  await expect(running).rejects.toMatchObject({ code: "E_CANCELLED" });
  expect(await exists(dataDirectory)).toBe(false);
});

test("settings that can not be are refused before there is a directory", async () => {
  const { dataDirectory, run } = await sandbox("full-kernel");
  await expect(run({ podRange: "10.43.0.0/16" })).rejects.toMatchObject({ code: "E_CONFIG" });
  expect(await exists(dataDirectory)).toBe(false);
});
