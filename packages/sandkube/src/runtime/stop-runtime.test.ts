import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { exists } from "../platform/files.js";
import { temporaryDirectory } from "../platform/testing/temporary-directory.js";
import { makeClusterDirectory } from "../state/cluster-directories.js";
import { clusterPaths } from "../state/cluster-paths.js";
import { locatePrograms } from "./locate-programs.js";
import { stopRuntime } from "./stop-runtime.js";
import { makeProgramsDirectory } from "./testing/programs-directory.js";
import { startSupervisorServer } from "./testing/supervisor-server.js";

async function stoppableCluster() {
  const root = await temporaryDirectory();
  const paths = clusterPaths(join(root, "data"), "one");
  await makeClusterDirectory(paths);
  const programs = await makeProgramsDirectory(join(root, "programs"), "1.0.0");
  const locate = () => locatePrograms({ override: programs, version: "1.0.0" });
  return { root, paths, programs, locate };
}

test("a live supervisor is asked to stop, with the pods' grace", async () => {
  const { paths, locate } = await stoppableCluster();
  const server = await startSupervisorServer(paths.controlSocket, {});
  const events: string[] = [];
  await stopRuntime(locate, paths, { graceMs: 700, onEvent: ({ type }) => events.push(type) });
  expect(server.requests).toEqual([{ command: "stop", graceMs: 700 }]);
  expect(events).toEqual(["stopping", "stopped"]);
});

test("after a dead supervisor its processes are killed", async () => {
  const { root, paths, locate } = await stoppableCluster();
  // A program under the name of one of sandkube's, with the cluster's directory in an argument.
  const program = join(root, "sandkube-supervisor");
  await fs.copyFile(process.execPath, program);
  await fs.chmod(program, 0o755);
  const child = spawn(program, ["-e", "setInterval(() => {}, 1e6)", "--", paths.nodeSpec]);
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "spawn");
  const ended = once(child, "exit");
  await stopRuntime(locate, paths, { graceMs: 0 });
  expect((await ended)[1]).toBe("SIGKILL");
});

test("after a dead supervisor the sandbox is put back, as recorded", async () => {
  const { root, paths, programs, locate } = await stoppableCluster();
  const called = join(root, "called");
  const script = `#!/bin/sh\necho "$@" > ${called}\n`;
  await fs.writeFile(join(programs, "sandkube-oci"), script);
  await stopRuntime(locate, paths, { graceMs: 0 });
  expect(await exists(called)).toBe(false);
  await fs.writeFile(paths.hostRecord, "{}");
  await stopRuntime(locate, paths, { graceMs: 0 });
  expect(await fs.readFile(called, "utf8")).toBe(`host-restore --spec ${paths.nodeSpec}\n`);
});

test("what can not be put back is reported with the reason", async () => {
  const { paths, programs, locate } = await stoppableCluster();
  await fs.writeFile(paths.hostRecord, "{}");
  const script = "#!/bin/sh\necho 'no such link' >&2\nexit 1\n";
  await fs.writeFile(join(programs, "sandkube-oci"), script);
  await expect(stopRuntime(locate, paths, { graceMs: 0 })).rejects.toMatchObject({
    code: "E_STATE",
    message: expect.stringContaining("no such link") as string,
  });
});
