import { once } from "node:events";
import * as fs from "node:fs/promises";
import { expect, test } from "vitest";
import type { ProgressEvent } from "../events.js";
import { temporaryDirectory } from "../platform/testing/temporary-directory.js";
import { makeClusterDirectory } from "../state/cluster-directories.js";
import { clusterPaths } from "../state/cluster-paths.js";
import { SupervisorClient } from "./supervisor-client.js";
import { startSupervisorServer } from "./testing/supervisor-server.js";
import { watchRuntime } from "./watch-runtime.js";

async function watchedCluster() {
  const paths = clusterPaths(await temporaryDirectory(), "one");
  await makeClusterDirectory(paths);
  const server = await startSupervisorServer(paths.controlSocket, {});
  const events: ProgressEvent[] = [];
  const since = Date.now();
  const watch = () =>
    watchRuntime(new SupervisorClient(paths.controlSocket), paths, since, (event) =>
      events.push(event),
    );
  const at = (offsetMs: number) => new Date(since + offsetMs).toISOString();
  const backingOff = (restarts: number, offsetMs = 0) => ({
    type: "role",
    time: at(offsetMs),
    role: "node",
    state: "backing-off",
    exitCode: 255,
    service: "kubelet",
    restarts,
    delayMs: 500,
  });
  return { paths, server, events, watch, at, backingOff };
}

test("a role that ends again and again fails the wait, with its reason and its last output", async () => {
  const { paths, server, watch, at, backingOff } = await watchedCluster();
  await fs.writeFile(paths.log("node"), "first line\nlast line\n");
  await using watching = watch();
  server.emit(backingOff(1));
  server.emit({ type: "fatal", time: at(0), role: "node", message: "no cgroup" });
  server.emit(backingOff(3));
  await once(watching.failed, "abort");
  expect(watching.failed.reason).toMatchObject({
    code: "E_START",
    message: "kubelet (role node) has ended 3 times: no cgroup",
    details: { role: "node", log: paths.log("node"), output: ["first line", "last line"] },
  });
});

test("what happened before the wait is passed over", async () => {
  const { server, events, watch, at, backingOff } = await watchedCluster();
  server.emit(backingOff(9, -60_000));
  server.emit({ type: "ready", time: at(1), role: "node" });
  await using watching = watch();
  await expect.poll(() => events.length).toBe(1);
  expect(events).toMatchObject([{ type: "runtime", event: { type: "ready" } }]);
  expect(watching.failed.aborted).toBe(false);
});

test("a service's becoming ready is told once, and the ones that are not are known", async () => {
  const { server, events, watch, at } = await watchedCluster();
  const ready = { type: "service", role: "node", service: "kubelet", state: "ready" };
  await using watching = watch();
  server.emit({ ...ready, time: at(0), service: "containers", state: "starting" });
  server.emit({ ...ready, time: at(0), elapsedMs: 12 });
  server.emit({ ...ready, time: at(1), elapsedMs: 13 });
  await expect.poll(() => events.filter(({ type }) => type === "runtime").length).toBe(3);
  expect(events.filter(({ type }) => type === "service-ready")).toEqual([
    { type: "service-ready", role: "node", service: "kubelet", elapsedMs: 12 },
  ]);
  expect(watching.unready("node")).toEqual(["containers (starting)"]);
  expect(watching.unready("control-plane")).toEqual([]);
});

test("the end of the supervisor fails the wait", async () => {
  const { server, watch } = await watchedCluster();
  await using watching = watch();
  await server.end();
  await once(watching.failed, "abort");
  expect(watching.failed.reason).toMatchObject({
    code: "E_START",
    message: "the supervisor has ended",
  });
});

test("ending the watch is no failure", async () => {
  const { watch } = await watchedCluster();
  const watching = watch();
  await watching[Symbol.asyncDispose]();
  expect(watching.failed.aborted).toBe(false);
});
