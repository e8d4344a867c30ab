import { describe, expect, it } from "vitest";
import { supervisorEventSchema } from "./events.js";

const time = "2026-01-02T03:04:05.000000006Z";

describe("supervisorEventSchema", () => {
  it.each([
    { type: "hello", time, role: "node", program: "sandkube-runtime", version: "0.1.0" },
    { type: "service", time, role: "node", service: "kubelet", state: "starting" },
    { type: "service", time, role: "node", service: "kubelet", state: "ready", elapsedMs: 12 },
    { type: "ready", time, role: "control-plane" },
    { type: "fatal", time, role: "node", service: "kubelet", message: "no cgroup" },
    { type: "role", time, role: "containerd", state: "started", pid: 12, restarts: 0 },
    {
      type: "role",
      time,
      role: "node",
      state: "exited",
      exitCode: 2,
      service: "kubelet",
      message: "panic: nil",
      restarts: 1,
      log: "/d/logs/node.log",
    },
    { type: "role", time, role: "node", state: "backing-off", delayMs: 500 },
    { type: "stopping", time },
    { type: "stopped", time, role: "supervisor" },
  ])("reads $type $state", (event) => {
    expect(supervisorEventSchema.parse(event)).toEqual(event);
  });

  it("drops fields that a newer runtime may add", () => {
    const event = { type: "ready", time, role: "node" };
    expect(supervisorEventSchema.parse({ ...event, colour: "red" })).toEqual(event);
  });

  it.each([
    { type: "unheard-of", time, role: "node" },
    { type: "ready", time },
    { type: "ready", time, role: "kube-proxy" },
    { type: "role", time, role: "node", state: "sleeping" },
  ])("rejects %j", (event) => {
    expect(supervisorEventSchema.safeParse(event).success).toBe(false);
  });
});
