import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../platform/testing/temporary-directory.js";
import { SupervisorClient } from "./supervisor-client.js";
import { startSupervisorServer } from "./testing/supervisor-server.js";

const time = "2026-01-02T03:04:05.678901234Z";
const status = {
  version: "0.1.0",
  pid: 7,
  startedAt: time,
  stopping: false,
  roles: [
    {
      role: "control-plane",
      state: "running",
      pid: 8,
      ready: true,
      restarts: 1,
      services: { etcd: { state: "ready", elapsedMs: 120 } },
      lastExit: { exitCode: 2, message: "panic" },
      newField: "of a newer runtime",
    },
    { role: "node", state: "stopped", ready: false, restarts: 0, services: null },
  ],
};

async function socketPath(): Promise<string> {
  return join(await temporaryDirectory(), "control.sock");
}

test("the status is read, unknown fields dropped and absent ones filled in", async () => {
  const path = await socketPath();
  await startSupervisorServer(path, status);
  const client = new SupervisorClient(path);
  expect(await client.isAlive()).toBe(true);
  const read = await client.status();
  expect(read?.roles[0]).not.toHaveProperty("newField");
  expect(read?.roles[0]?.services).toEqual({ etcd: { state: "ready", elapsedMs: 120 } });
  expect(read?.roles[1]).toMatchObject({ services: {}, lastExit: null });
});

test("a status of another shape is E_STATE", async () => {
  const path = await socketPath();
  await startSupervisorServer(path, { ...status, pid: "7" });
  await expect(new SupervisorClient(path).status()).rejects.toMatchObject({ code: "E_STATE" });
});

test("past events come first, then live ones, until the supervisor ends", async () => {
  const path = await socketPath();
  const server = await startSupervisorServer(path, status);
  server.emit({ type: "hello", time, role: "node", program: "sandkube-runtime", version: "0.1.0" });
  server.emit({ type: "of a newer runtime", time });
  const seen: string[] = [];
  for await (const event of new SupervisorClient(path).events()) {
    seen.push(event.type);
    if (event.type === "hello") server.emit({ type: "ready", time, role: "node" });
    if (event.type === "ready") await server.end();
  }
  expect(seen).toEqual(["hello", "ready"]);
});

test("listening to events ends when it is aborted", async () => {
  const path = await socketPath();
  const server = await startSupervisorServer(path, status);
  server.emit({ type: "ready", time, role: "node" });
  const controller = new AbortController();
  const listening = (async () => {
    for await (const _event of new SupervisorClient(path).events(controller.signal)) {
      controller.abort(new Error("enough"));
    }
  })();
  await expect(listening).rejects.toThrow("enough");
});

test("stop sends the grace and lasts until the supervisor has ended", async () => {
  const path = await socketPath();
  const server = await startSupervisorServer(path, status);
  const client = new SupervisorClient(path);
  const seen: string[] = [];
  for await (const event of client.stop(1_500)) seen.push(event.type);
  expect(seen).toEqual(["stopping", "stopped"]);
  expect(server.requests).toEqual([{ command: "stop", graceMs: 1_500 }]);
  expect(await client.isAlive()).toBe(false);
});

test("without a supervisor there is no status and there are no events", async () => {
  const client = new SupervisorClient(await socketPath());
  expect(await client.isAlive()).toBe(false);
  expect(await client.status()).toBeNull();
  for await (const event of client.events()) expect.fail(`came: ${event.type}`);
});
