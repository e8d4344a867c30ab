import { describe, expect, it } from "vitest";
import type { RoleName } from "sandkube";
import { kill } from "./harness/kill-process.js";
import { getFromNode } from "./harness/http.js";
import type { List, Pod } from "./harness/kubernetes.js";
import type { Sandkube } from "./harness/sandkube.js";
import { loadTestImages, onceMoreIfTheSandboxDies, sandboxForSuite } from "./harness/suites.js";
import { tracesOf, withoutFiles, type Traces } from "./harness/traces.js";
import { waitUntil } from "./harness/wait-until.js";

interface PlacedPod extends Pod {
  readonly spec: { readonly nodeName: string };
}

const nodes = ["node-1", "node-2"] as const;
const addresses = { "node-1": "10.42.0.1", "node-2": "10.42.1.1" } as const;

/** The tests of a kind are the stages of one cluster's life, in order. */
describe.each(["g26", "g24"] as const)("two nodes in %s", (kind) => {
  const sandkube = sandboxForSuite({ kind });
  let before: Traces;

  const placed = async (selector: string) =>
    (await sandkube().get<List<PlacedPod>>("pods", "-l", selector)).items;
  const untilRolledOut = async (object: string) => {
    const rollout = ["rollout", "status", object, "--timeout=120s"];
    await sandkube().do(["kubectl", ...rollout], { timeoutMs: 150_000 });
  };
  const serverOn = async (node: string) => {
    const server = (await placed("app=web")).find(({ spec }) => spec.nodeName === node);
    if (server === undefined) throw new Error(`${node} has no server`);
    return server;
  };
  const greetingFrom = (node: string) => new RegExp(`^Hello from pod web-\\w+ on node ${node}\n$`);
  const greeting = /^Hello from pod web-\w+ on node node-[12]\n$/;

  it("up ends when both are Ready, each with an address and a range of its own", async () => {
    before = await tracesOf(sandkube().sandbox);
    await sandkube().do(["up", "--nodes", "2"]);
    const columns =
      "jsonpath={range .items[*]}{.metadata.name} {.spec.podCIDR} {.status.addresses[0].address}{'\\n'}{end}";
    expect(await sandkube().kubectl("get", "nodes", "-o", columns)).toBe(
      "node-1 10.42.0.0/24 10.42.0.1\nnode-2 10.42.1.0/24 10.42.1.1\n",
    );
    const roles = "jsonpath={.items[*].metadata.name}";
    const controlPlane = ["-l", "node-role.kubernetes.io/control-plane", "-o", roles];
    expect(await sandkube().kubectl("get", "nodes", ...controlPlane)).toBe("node-1");
    expect((await sandkube().status()).settings?.nodes).toBe(2);
  });

  it("another number of nodes is refused while the cluster is there", async () => {
    const { exitCode, stderr } = await sandkube().run(["up", "--nodes", "3"]);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("nodes 2, not 3");
  });

  it("images are loaded into both, and listed once", async () => {
    await loadTestImages(sandkube());
    const listed = JSON.parse(await sandkube().do(["image", "list", "--json"])) as {
      name: string;
      nodes: string[];
    }[];
    const hello = listed.filter(({ name }) => name === "sandkube.local/hello:1");
    expect(hello).toMatchObject([{ nodes: ["node-1", "node-2"] }]);
  });

  it("a DaemonSet has a pod on each", async () => {
    await sandkube().apply("nodes.yaml");
    await untilRolledOut("daemonset/web");
    await sandkube().untilReady("app in (web, client, movable)", 100);
    const servers = await placed("app=web");
    expect(servers.map(({ spec }) => spec.nodeName).toSorted()).toEqual(nodes);
    for (const { spec, status } of servers) {
      const range = spec.nodeName === "node-1" ? /^10\.42\.0\./ : /^10\.42\.1\./;
      expect(status.podIP).toMatch(range);
    }
  });

  it("pods of different nodes talk directly, by ClusterIP, by name, and at each node's ports", async () => {
    for (const client of ["client-1", "client-2"]) {
      for (const node of nodes) {
        const direct = `fetch http://${(await serverOn(node)).status.podIP}:8080/`;
        expect(await sandkube().inPod(client, direct)).toMatch(greetingFrom(node));
        const nodePort = `fetch http://${addresses[node]}:30085/`;
        expect(await sandkube().inPod(client, nodePort)).toMatch(greeting);
        const hostPort = `fetch http://${addresses[node]}:8083/`;
        expect(await sandkube().inPod(client, hostPort)).toMatch(greetingFrom(node));
      }
      expect(await sandkube().inPod(client, "fetch http://web/")).toMatch(greeting);
    }
    for (const host of [addresses["node-1"], addresses["node-2"], "127.0.0.1"]) {
      expect(await getFromNode(sandkube().sandbox, `http://${host}:30085/`)).toMatch(greeting);
    }
  });

  it("a Service spreads over both, and keeps to the client's node when it is told to", async () => {
    const many = (url: string) => `for i in 1 2 3 4 5 6 7 8 9 10 11 12; do fetch ${url}; done`;
    const answersTo = async (client: string, url: string) =>
      new Set((await sandkube().inPod(client, many(url))).match(/node-\d/g));
    expect((await answersTo("client-2", "http://web/")).size).toBe(2);
    expect([...(await answersTo("client-1", "http://near/"))]).toEqual(["node-1"]);
    expect([...(await answersTo("client-2", "http://near/"))]).toEqual(["node-2"]);
  });

  it("a NetworkPolicy holds between nodes", async () => {
    const url = `http://${(await serverOn("node-2")).status.podIP}:8080/`;
    await sandkube().kubectl("label", "pod", "client-1", "asks=true");
    await sandkube().apply("nodes-policy.yaml");
    await waitUntil({
      for: "the policy to keep client-2 out and let client-1 in",
      limitMs: 60_000,
      look: async () => {
        const ask = (client: string) =>
          sandkube().run(["kubectl", "exec", client, "--", "timeout", "3", "fetch", url]);
        const [one, two] = [await ask("client-1"), await ask("client-2")];
        const isHeld = one.exitCode === 0 && two.exitCode !== 0;
        return isHeld ? { found: true } : { instead: `${one.stderr}${two.stdout}${two.stderr}` };
      },
    });
    await sandkube().kubectl("delete", "networkpolicy", "web");
    await waitUntil({
      for: "client-2 to be let in again",
      limitMs: 60_000,
      look: async () => {
        const ask = ["kubectl", "exec", "client-2", "--", "timeout", "3", "fetch", url];
        const { exitCode, stderr } = await sandkube().run(ask);
        return exitCode === 0 ? { found: true } : { instead: stderr };
      },
    });
  });

  it("logs, exec and statistics work for pods of the second", async () => {
    expect(await sandkube().kubectl("logs", "client-2")).toBe("started on client-2\n");
    expect(await sandkube().inPod("client-2", "hostname")).toBe("client-2\n");
    const summary = await sandkube().kubectl(
      "get",
      "--raw",
      "/api/v1/nodes/node-2/proxy/stats/summary",
    );
    const { node, pods } = JSON.parse(summary) as {
      node: { nodeName: string };
      pods: { podRef: { name: string } }[];
    };
    expect(node.nodeName).toBe("node-2");
    const names = pods.map(({ podRef }) => podRef.name);
    expect(names).toContain("client-2");
    expect(names).not.toContain("client-1");
    const log = await sandkube().do(["logs", "containerd", "--node", "node-2", "--tail", "5"]);
    expect(log).not.toBe("");
    expect((await sandkube().run(["logs", "--node", "node-3"])).stderr).toContain("node-1, node-2");
  });

  it("draining the second moves its pods", async () => {
    const drain = ["drain", "node-2", "--ignore-daemonsets", "--force", "--timeout=90s"];
    await sandkube().do(["kubectl", ...drain], { timeoutMs: 120_000 });
    await untilRolledOut("deployment/movable");
    const onNodes = (await placed("app=movable")).map(({ spec }) => spec.nodeName);
    expect(onNodes).toEqual(["node-1", "node-1"]);
    await sandkube().kubectl("uncordon", "node-2");
  });

  it(
    "node-init of the second killed: the second comes back, a pod of the first goes on",
    onceMoreIfTheSandboxDies,
    async () => {
      const { containerID: survivor } = await containerOf(sandkube(), "client-1");
      const { containerID: lost } = await containerOf(
        sandkube(),
        (await serverOn("node-2")).metadata.name,
      );
      const first = await sandkube().role("node-init");
      await kill(sandkube(), /sandkube-supervisor node-init .*--node node-2/);
      await restarted(sandkube(), "node-2");
      await waitUntil({
        for: "the server of the second node to run in another container",
        limitMs: 120_000,
        pollMs: 1_000,
        look: async () => {
          const found = await containerOf(sandkube(), (await serverOn("node-2")).metadata.name);
          const isBack = found.ready && found.containerID !== lost;
          return isBack ? { found } : { instead: JSON.stringify(found) };
        },
      });
      expect(await containerOf(sandkube(), "client-1")).toMatchObject({ containerID: survivor });
      expect((await sandkube().role("node-init")).pid).toBe(first.pid);
      const url = `http://${(await serverOn("node-2")).status.podIP}:8080/`;
      expect(await sandkube().inPod("client-1", `fetch ${url}`)).toMatch(greetingFrom("node-2"));
    },
  );

  it("down stops both, up brings both back", async () => {
    await sandkube().do(["down"]);
    expect(withoutFiles(await tracesOf(sandkube().sandbox))).toEqual(withoutFiles(before));
    await sandkube().do(["up"]);
    await untilRolledOut("daemonset/web");
    await sandkube().untilReady("app=web", 100);
    expect((await placed("app=web")).map(({ spec }) => spec.nodeName).toSorted()).toEqual(nodes);
    const url = `http://${(await serverOn("node-2")).status.podIP}:8080/`;
    await sandkube().untilReady("app=client");
    expect(await sandkube().inPod("client-1", `fetch ${url}`)).toMatch(greetingFrom("node-2"));
  });

  it("delete leaves nothing", async () => {
    await sandkube().do(["delete"]);
    expect(await tracesOf(sandkube().sandbox)).toEqual(before);
  });
});

async function containerOf(sandkube: Sandkube, pod: string) {
  const { status } = await sandkube.get<Pod>("pod", pod);
  const [container] = status.containerStatuses ?? [];
  return { containerID: container?.containerID, ready: container?.ready === true };
}

async function restarted(sandkube: Sandkube, name: RoleName) {
  return await waitUntil({
    for: `${name} to be ready again`,
    limitMs: 90_000,
    look: async () => {
      const init = await sandkube.role("node-init-2");
      const found = await sandkube.role(name);
      const isBack = init.restarts > 0 && found.ready;
      return isBack ? { found } : { instead: JSON.stringify({ init, found }) };
    },
  });
}
