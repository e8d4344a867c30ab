import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SandkubeError } from "../errors.js";
import type { ProgressEvent } from "../events.js";
import { deadlineIn } from "../platform/clock.js";
import { temporaryDirectory } from "../platform/testing/temporary-directory.js";
import { waitForApi, waitForNode, waitForSchedulable, type WaitContext } from "./waits.js";

/** An API whose answers, by path, change from one request to the next; the last one stays. */
function answering(answers: Record<string, readonly (object | Error | null)[]>) {
  const asked = new Map<string, number>();
  const getObject = async (path: string): Promise<unknown> => {
    const count = asked.get(path) ?? 0;
    asked.set(path, count + 1);
    const given = answers[path] ?? [null];
    const answer = given[Math.min(count, given.length - 1)] ?? null;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const get = async (path: string) => {
    const object = await getObject(path);
    return object === null ? null : JSON.stringify(object);
  };
  return { asked, client: { get, getObject } };
}

async function contextWith(
  client: WaitContext["client"],
  limitMs: number,
  signal = new AbortController().signal,
) {
  const logs = await temporaryDirectory();
  const events: ProgressEvent[] = [];
  const context: WaitContext = {
    client,
    deadline: deadlineIn(limitMs),
    signal,
    emit: (event) => events.push(event),
    log: (role) => join(logs, `${role}.log`),
    unready: (role) => (role === "node" ? ["kubelet (starting)"] : []),
  };
  return { context, events };
}

const account = "/api/v1/namespaces/default/serviceaccounts/default";
const rootCertificates = "/api/v1/namespaces/default/configmaps/kube-root-ca.crt";
const nodePath = "/api/v1/nodes/node-1";
const startedAt = Date.parse("2026-01-02T03:04:05Z");
const lastHeartbeatTime = "2026-01-02T03:04:06Z";
const node = (status: string, ...taints: string[]) => ({
  spec: { taints: taints.map((key) => ({ key })) },
  status: { conditions: [{ type: "Ready", status, message: "no network yet", lastHeartbeatTime }] },
});

/** A node whose process is ready from the given look on. */
function awaitedNode(readyFrom = 1) {
  let looks = 0;
  const isRoleReady = async () => {
    looks += 1;
    return looks >= readyFrom;
  };
  return { name: "node-1", role: "node" as const, startedAt, isRoleReady };
}

test("refused connections and errors are waited out", async () => {
  const { client } = answering({ "/readyz": [new Error("ECONNREFUSED"), null, {}] });
  const { context } = await contextWith(client, 10_000);
  await expect(waitForApi(context)).resolves.toBeUndefined();
});

test("at the limit the error names what is missing, the log and its last lines", async () => {
  const { client } = answering({ [nodePath]: [node("False")] });
  const { context } = await contextWith(client, 150);
  await fs.writeFile(context.log("node"), "CNI is not initialized\n");
  await expect(waitForNode(context, awaitedNode())).rejects.toMatchObject({
    code: "E_TIMEOUT",
    message:
      "waited 0.15 s for the node node-1 to be Ready: no network yet; not ready: kubelet (starting)",
    details: { log: context.log("node"), output: ["CNI is not initialized"] },
  });
});

test("a node whose process is not ready is not Ready, whatever its object says", async () => {
  const { client, asked } = answering({ [nodePath]: [node("True")] });
  const { context } = await contextWith(client, 30_000);
  await waitForNode(context, awaitedNode(3));
  expect(asked.get(nodePath)).toBe(3);
});

test("a failure of the runtime ends the wait with that failure", async () => {
  const failure = new AbortController();
  const { client } = answering({});
  const { context } = await contextWith(client, 60_000, failure.signal);
  const waiting = waitForApi(context);
  failure.abort(new SandkubeError("E_START", "the kubelet has ended 3 times"));
  await expect(waiting).rejects.toMatchObject({ code: "E_START" });
});

test("pods can be scheduled once account, certificates and an untainted Ready node are there", async () => {
  const { client, asked } = answering({
    [account]: [null, {}],
    [rootCertificates]: [null, {}],
    [nodePath]: [node("False"), node("True", "node.kubernetes.io/not-ready"), node("True")],
  });
  const { context } = await contextWith(client, 30_000);
  await waitForSchedulable(context, [awaitedNode()]);
  expect(asked.get(nodePath)).toBe(3);
});

test("without a node the controllers' objects are all that is awaited", async () => {
  const { client, asked } = answering({ [account]: [{}], [rootCertificates]: [{}] });
  const { context } = await contextWith(client, 30_000);
  await waitForSchedulable(context, []);
  expect(asked.has(nodePath)).toBe(false);
});

test("a wait that lasts is told about once a second", async () => {
  const { client } = answering({ "/readyz": [...Array.from({ length: 12 }, () => null), {}] });
  const { context, events } = await contextWith(client, 60_000);
  await waitForApi(context);
  expect(events[0]).toMatchObject({ type: "waiting", for: "the API server to be ready" });
});
