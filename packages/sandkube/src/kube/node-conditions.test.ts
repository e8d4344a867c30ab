import { expect, test } from "vitest";
import { hasNotReadyTaint, reasonNodeNotReady } from "./node-conditions.js";

const ready = (status: string) => ({
  status: { conditions: [{ type: "Ready", status, message: "container runtime is down" }] },
});

test("a node is Ready when its condition says so, else the reason is the condition's", () => {
  expect(reasonNodeNotReady(ready("True"))).toBeNull();
  expect(reasonNodeNotReady(ready("False"))).toBe("container runtime is down");
  expect(reasonNodeNotReady({ metadata: {} })).toBe("the node has not reported its condition");
  expect(reasonNodeNotReady(null)).toBe("the node has not registered");
});

function tainted(key: string): boolean {
  return hasNotReadyTaint({ spec: { taints: [{ key }] } });
}

test("only the not-ready taint keeps pods away", () => {
  expect(tainted("node.kubernetes.io/not-ready")).toBe(true);
  expect(tainted("example.com/other")).toBe(false);
  expect(hasNotReadyTaint({ spec: {} })).toBe(false);
});
