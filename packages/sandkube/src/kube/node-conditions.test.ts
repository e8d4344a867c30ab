import { expect, test } from "vitest";
import { hasNotReadyTaint, reasonNodeNotReady } from "./node-conditions.js";

const since = Date.parse("2026-01-02T03:04:05Z");

function reporting(status: string, lastHeartbeatTime: string) {
  const message = "container runtime is down";
  return { status: { conditions: [{ type: "Ready", status, message, lastHeartbeatTime }] } };
}

test("a node is Ready when its condition says so, else the reason is the condition's", () => {
  expect(reasonNodeNotReady(reporting("True", "2026-01-02T03:04:06Z"), since)).toBeNull();
  const failing = reporting("False", "2026-01-02T03:04:06Z");
  expect(reasonNodeNotReady(failing, since)).toBe("container runtime is down");
  const silent = { metadata: {} };
  expect(reasonNodeNotReady(silent, since)).toBe("the node has not reported its condition");
  expect(reasonNodeNotReady(null, since)).toBe("the node has not registered");
});

test("what an earlier run has reported does not count", () => {
  const stale = reporting("True", "2026-01-02T03:04:05Z");
  expect(reasonNodeNotReady(stale, since)).toBe("the node has not reported since it was started");
});

function tainted(key: string): boolean {
  return hasNotReadyTaint({ spec: { taints: [{ key }] } });
}

test("only the not-ready taint keeps pods away", () => {
  expect(tainted("node.kubernetes.io/not-ready")).toBe(true);
  expect(tainted("example.com/other")).toBe(false);
  expect(hasNotReadyTaint({ spec: {} })).toBe(false);
});
