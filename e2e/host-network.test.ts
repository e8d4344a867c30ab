import { describe, expect, it } from "vitest";
import { getFromNode } from "./harness/http.js";
import type { List, Pod, Service } from "./harness/kubernetes.js";
import { loadTestImages, sandboxForSuite, type SuiteOptions } from "./harness/suites.js";
import { tracesOf, withoutFiles, type Traces } from "./harness/traces.js";
import { parseUpOutput } from "./harness/up-output.js";
import { waitUntil } from "./harness/wait-until.js";

/** Sandboxes in which root can make no link, for different reasons. */
const sandboxes: readonly [string, SuiteOptions][] = [
  ["g26 without CAP_NET_ADMIN", { kind: "g26", withoutCapabilities: ["CAP_NET_ADMIN"] }],
  ["g24 on the network stack outside", { kind: "g24", network: "host" }],
  ["bare without CAP_NET_ADMIN", { kind: "bare", withoutCapabilities: ["CAP_NET_ADMIN"] }],
];

/** The tests of a sandbox are the stages of one cluster's life, in order. */
describe.each(sandboxes)("host-network mode in %s", (_name, options) => {
  const sandkube = sandboxForSuite(options);
  let before: Traces;
  const nodeAddress = () => sandkube().sandbox.link?.address ?? "";
  const clusterIpOf = async (name: string) =>
    (await sandkube().get<Service>("service", name)).spec.clusterIP;
  const inClient = async (script: string) =>
    await waitUntil({
      for: `the client to succeed with "${script}"`,
      limitMs: 60_000,
      look: async () => {
        const { exitCode, stdout, stderr } = await sandkube().run([
          ...["kubectl", "exec", "client", "--", "sh", "-c", script],
        ]);
        return exitCode === 0 ? { found: stdout } : { instead: stderr };
      },
    });

  it("up starts a node and says what is lost", async () => {
    before = await tracesOf(sandkube().sandbox);
    const { result } = parseUpOutput(await sandkube().do(["up", "--json"]));
    expect(result.mode).toBe("host-network");
    expect(result.adaptations.map(({ id }) => id)).toContain("shared-pod-network");
    expect(await sandkube().do(["up"])).toContain("Two pods can not listen at one port");
    expect(await sandkube().do(["status"])).toContain("NetworkPolicies are not enforced");
  });

  it("pods have the node's address and host names of their own", async () => {
    await loadTestImages(sandkube());
    await sandkube().apply("host-network.yaml");
    for (const app of ["client", "hello", "same-port"]) await sandkube().untilReady(`app=${app}`);
    const { items } = await sandkube().get<List<Pod>>("pods");
    expect(new Set(items.map(({ status }) => status.podIP))).toEqual(new Set([nodeAddress()]));
    expect(await sandkube().inPod("client", "hostname")).toBe("client\n");
  });

  it("Services answer by name to pods, and to the sandbox at ClusterIP and NodePort", async () => {
    const hello = /^Hello from pod hello-/;
    expect(await inClient("fetch http://hello/")).toMatch(hello);
    const clusterIp = await clusterIpOf("hello");
    expect(clusterIp).toMatch(/^127\.43\./);
    for (const at of [clusterIp, "127.0.0.1:30080", `${nodeAddress()}:30080`]) {
      expect(await getFromNode(sandkube().sandbox, `http://${at}/`)).toMatch(hello);
    }
    const lookup = "nslookup kubernetes.default.svc.cluster.local";
    expect(await sandkube().inPod("client", lookup)).toContain("127.43.0.1");
    expect(await sandkube().inPod("client", "connect kubernetes.default:443")).not.toBe("");
  });

  it("a pod listens at the port that its Service, and its host port, have", async () => {
    expect(await inClient("fetch http://same-port:8099/")).toBe("same-port\n");
    const url = `http://${nodeAddress()}:8099/`;
    expect(await getFromNode(sandkube().sandbox, url)).toBe("same-port\n");
    const { items } = await sandkube().get<List<Pod>>("pods", "-l", "app=same-port");
    expect(items[0]?.status.containerStatuses?.[0]?.restartCount).toBe(0);
  });

  it("a NetworkPolicy is told that it has no effect", async () => {
    const told = await waitUntil({
      for: "an event of the policy",
      limitMs: 30_000,
      look: async () => {
        const text = await sandkube().kubectl("events", "--for", "networkpolicy/nothing-in");
        return text.includes("NotEnforced") ? { found: text } : { instead: text };
      },
    });
    expect(told).toContain("all pods share the node's network");
  });

  it("a pod that wants another one's port is told whose it is", async () => {
    await sandkube().kubectl("scale", "deployment", "hello", "--replicas=2");
    const told = await waitUntil({
      for: "an event of the second replica",
      limitMs: 60_000,
      look: async () => {
        const text = await sandkube().kubectl("events", "--types=Warning");
        return text.includes("PortTaken") ? { found: text } : { instead: text };
      },
    });
    expect(told).toMatch(/PortTaken\s+Pod\/hello-\S+\s+TCP port 8080 is pod default\/hello-/);
    await sandkube().kubectl("scale", "deployment", "hello", "--replicas=1");
  });

  it("down stops the pods, up resumes them, delete leaves nothing", async () => {
    await sandkube().do(["down"]);
    expect(withoutFiles(await tracesOf(sandkube().sandbox))).toEqual(withoutFiles(before));
    await sandkube().do(["up"]);
    await sandkube().untilReady("app=client");
    await sandkube().untilReady("app=hello");
    expect(await inClient("fetch http://hello/")).toMatch(/^Hello from pod hello-/);
    await sandkube().do(["delete"]);
    expect(await tracesOf(sandkube().sandbox)).toEqual(before);
  });
});
