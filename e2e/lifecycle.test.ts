import { describe, expect, it } from "vitest";
import type { ServicePort } from "sandkube";
import { getFromNode } from "./harness/http.js";
import type { Pod, List } from "./harness/kubernetes.js";
import type { Sandkube } from "./harness/sandkube.js";
import { loadTestImages, sandboxForSuite } from "./harness/suites.js";
import { tracesOf, withoutFiles, type Traces } from "./harness/traces.js";
import { documentedLines, parseUpOutput } from "./harness/up-output.js";
import { waitUntil } from "./harness/wait-until.js";

/** The tests of a kind are the stages of one cluster's life, in order. */
describe.each(["g26", "g24"] as const)("the life of a cluster in %s", (kind) => {
  const sandkube = sandboxForSuite({ kind });
  let before: Traces;
  let images: object[];

  it("up ends when the node is Ready, and tells its progress as JSON", async () => {
    before = await tracesOf(sandkube().sandbox);
    const { events, result } = parseUpOutput(await sandkube().do(["up", "--json"]));
    expect(result).toMatchObject({
      name: "default",
      mode: "full",
      server: "https://127.0.0.1:6443",
      created: true,
      wasRunning: false,
    });
    const { apiReadyMs, nodeReadyMs, schedulableMs, dnsReadyMs } = result.timings;
    const milestones = [apiReadyMs, nodeReadyMs, schedulableMs, dnsReadyMs];
    expect(milestones).toEqual(milestones.toSorted((a, b) => Number(a) - Number(b)));
    const steps = (type: "step-started" | "step-finished") =>
      events.flatMap((event) => (event.type === type ? [event.step] : []));
    expect(steps("step-finished")).toEqual(steps("step-started"));
    expect(steps("step-finished")).toEqual(
      expect.arrayContaining([
        "probe",
        "supervisor",
        "api-ready",
        "node-ready",
        "schedulable",
        "dns",
      ]),
    );
    const services = events.flatMap((event) =>
      event.type === "service-ready" ? [event.service] : [],
    );
    expect(services).toEqual(
      expect.arrayContaining([
        "kube-apiserver",
        "kube-scheduler",
        "kubelet",
        "service-proxy",
        "dns",
      ]),
    );
    const ready = "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}";
    expect(await sandkube().kubectl("get", "nodes", "-o", ready)).toBe("True");
  });

  it("keeps the administrator's key from other users", async () => {
    const path = (await sandkube().do(["kubeconfig", "--path"])).trim();
    const { stdout } = await sandkube().sandbox.exec(["stat", "-c", "%a", path]);
    expect(stdout.trim()).toBe("600");
  });

  it("a second up finds the cluster running and changes nothing", async () => {
    const first = await sandkube().status();
    const { result } = parseUpOutput(await sandkube().do(["up", "--json"]));
    expect(result).toMatchObject({ created: false, wasRunning: true });
    const second = await sandkube().status();
    expect(second.runtime?.pid).toBe(first.runtime?.pid);
    expect(rolePids(second)).toEqual(rolePids(first));
  });

  it("loads images from files and runs the sample application", async () => {
    await loadTestImages(sandkube());
    images = await imagesOf(sandkube());
    expect(images).toContainEqual(expect.objectContaining({ name: "sandkube.local/hello:1" }));
    await sandkube().apply("examples/hello/manifests");
    await sandkube().kubectl("create", "configmap", "settings", "--from-literal=colour=green");
    await sandkube().kubectl("rollout", "status", "deployment/hello", "--timeout=50s");
    expect(await runningHellos(sandkube())).toHaveLength(2);
  });

  it("publishes a Service at a port of the sandbox, and says where it is", async () => {
    await sandkube().do(["ports", "publish", "8088:default/hello:http"]);
    const ports = JSON.parse(await sandkube().do(["ports", "--json"])) as ServicePort[];
    expect(ports.find(({ service }) => service === "hello")?.addresses).toEqual([
      expect.stringMatching(/^10\.43\.\d+\.\d+:80$/),
      "127.0.0.1:8088",
    ]);
    expect(await untilPublished(sandkube())).toMatch(/^Hello from pod hello-/);
    const taken = await sandkube().run(["ports", "publish", "6443:default/hello:http"]);
    expect(taken).toMatchObject({ exitCode: 16, stderr: expect.stringContaining("E_PORT_TAKEN") });
    const wrong = await sandkube().run(["ports", "unpublish", "8089"]);
    expect(wrong).toMatchObject({ exitCode: 27, stderr: expect.stringContaining("8089") });
  });

  it("gives a claim a volume of the default class, which its pod's group can write to", async () => {
    await sandkube().apply("claim.yaml");
    await sandkube().untilReady("app=keeper");
    expect(await sandkube().inPod("keeper", "echo kept > /data/file; id -G")).toContain("2000");
    const capacity = ["pvc", "kept", "-o", "jsonpath={.status.capacity.storage}"];
    expect(await sandkube().kubectl("get", ...capacity)).toBe("1Gi");
  });

  it("down stops everything but keeps the data", async () => {
    const lines = documentedLines(await sandkube().do(["down", "--json"]));
    expect(lines.at(-1)).toEqual({ type: "result", command: "down", wasRunning: true });
    expect(withoutFiles(await tracesOf(sandkube().sandbox))).toEqual(withoutFiles(before));
    expect(await sandkube().status()).toMatchObject({ state: "stopped", runtime: null });
    const { exitCode, stderr } = await sandkube().run(["kubectl", "get", "pods"]);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("`sandkube up` resumes it");
  });

  it("up resumes it with its objects, pods and images", async () => {
    const { result } = parseUpOutput(await sandkube().do(["up", "--json"]));
    expect(result).toMatchObject({ created: false, wasRunning: false });
    expect(await imagesOf(sandkube())).toEqual(images);
    const colour = ["configmap", "settings", "-o", "jsonpath={.data.colour}"];
    expect(await sandkube().kubectl("get", ...colour)).toBe("green");
    await sandkube().untilReady("app=hello");
    expect(await runningHellos(sandkube())).toHaveLength(2);
    expect(await untilPublished(sandkube())).toMatch(/^Hello from pod hello-/);
  });

  it("a volume keeps its files over down and up, and goes with its claim", async () => {
    await sandkube().untilReady("app=keeper");
    expect(await sandkube().inPod("keeper", "cat /data/file")).toBe("kept\n");
    await sandkube().kubectl(
      "delete",
      "-f",
      `${sandkube().sandbox.checkout}/e2e/manifests/claim.yaml`,
    );
    await waitUntil({
      for: "the volume to go with its claim",
      limitMs: 30_000,
      look: async () => {
        const volumes = await sandkube().kubectl("get", "pv", "-o", "name");
        return volumes === "" ? { found: true } : { instead: volumes };
      },
    });
  });

  it("delete leaves no process, mount, link, cgroup or file", async () => {
    const lines = documentedLines(await sandkube().do(["delete", "--json"]));
    expect(lines.at(-1)).toEqual({ type: "result", command: "delete", deleted: 1 });
    expect(await tracesOf(sandkube().sandbox)).toEqual(before);
    const { exitCode, stderr } = await sandkube().run(["status"]);
    expect(exitCode).toBe(19);
    expect(stderr).toContain("E_CLUSTER_NOT_FOUND");
  });
});

/** What the Service answers at its published port; the network role opens it on its own time. */
async function untilPublished(sandkube: Sandkube): Promise<string> {
  return await waitUntil({
    for: "the Service to answer at its published port",
    limitMs: 20_000,
    look: async () => {
      try {
        return { found: await getFromNode(sandkube.sandbox, "http://127.0.0.1:8088/") };
      } catch (error) {
        return { instead: String(error) };
      }
    },
  });
}

function rolePids({ runtime }: Awaited<ReturnType<Sandkube["status"]>>) {
  return runtime?.roles.map(({ role, pid, restarts }) => ({ role, pid, restarts }));
}

/** Which images there are. What uses them, and how much is unpacked, changes with the pods. */
async function imagesOf(sandkube: Sandkube): Promise<object[]> {
  const text = await sandkube.do(["image", "list", "--json"]);
  const images = JSON.parse(text) as { name: string; digest: string; sizeBytes: number }[];
  return images.map(({ name, digest, sizeBytes }) => ({ name, digest, sizeBytes }));
}

async function runningHellos(sandkube: Sandkube): Promise<string[]> {
  const { items } = await sandkube.get<List<Pod>>("pods", "-l", "app=hello");
  return items
    .filter(({ status }) => status.phase === "Running" && status.containerStatuses?.[0]?.ready)
    .map(({ metadata }) => metadata.name);
}
