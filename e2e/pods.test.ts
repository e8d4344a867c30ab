import { beforeAll, describe, expect, it } from "vitest";
import { answerInside, getFromNode } from "./harness/http.js";
import type { List, Pod, StatsSummary } from "./harness/kubernetes.js";
import { clusterForSuite } from "./harness/suites.js";
import { waitUntil } from "./harness/wait-until.js";

describe.each(["g26", "g24"] as const)("pods in %s", (kind) => {
  const sandkube = clusterForSuite({ kind });

  beforeAll(async () => {
    await sandkube().apply("examples/hello/manifests");
    await sandkube().apply("liveness.yaml");
    await sandkube().apply("volumes.yaml");
    await sandkube().apply("client.yaml");
    await sandkube().untilReady("app in (hello, volumes, client)");
  });

  const hellos = async () => {
    const { items } = await sandkube().get<List<Pod>>("pods", "-l", "app=hello");
    return items.map(({ metadata, status }) => ({
      name: metadata.name,
      url: `http://${status.podIP}:8080/`,
    }));
  };

  it("answer each other over HTTP", async () => {
    const pods = await hellos();
    expect(pods).toHaveLength(2);
    for (const { name, url } of pods) {
      const answer = await sandkube().inPod("client", `fetch ${url}`);
      expect(answer).toBe(`Hello from pod ${name} on node node-1\n`);
    }
  });

  it("answer the node over HTTP", async () => {
    for (const { name, url } of await hellos()) {
      const answer = await getFromNode(sandkube().sandbox, url);
      expect(answer).toBe(`Hello from pod ${name} on node node-1\n`);
    }
  });

  it("reach a server on the node", async () => {
    const address = "jsonpath={.items[0].status.addresses[?(@.type=='InternalIP')].address}";
    const host = await sandkube().kubectl("get", "nodes", "-o", address);
    const server = { host, port: 8099, text: "an answer of the node\n" };
    await using listener = await answerInside(sandkube().sandbox, server);
    await listener.listening;
    const answer = await sandkube().inPod("client", `fetch http://${host}:8099/`);
    expect(answer).toBe(server.text);
  });

  it("start where the sandbox can make no more session keyrings", async () => {
    // keyctl(KEYCTL_JOIN_SESSION_KEYRING, NULL): gVisor keeps each one until the sandbox ends.
    await sandkube().sandbox.exec(["perl", "-e", "syscall(250, 1, 0) for 1..300"]);
    await sandkube().kubectl(
      ...["run", "after-keyrings", "--image=sandkube.local/busybox:1", "--restart=Never"],
      ...["--", "sleep", "100000"],
    );
    await sandkube().untilReady("run=after-keyrings");
    await sandkube().kubectl("delete", "pod", "after-keyrings", "--grace-period=1");
  });

  it("start with a kernel setting that the kernel lacks, and are told that it has no effect", async () => {
    await sandkube().apply("sysctls.yaml");
    await sandkube().untilReady("app=sysctls");
    const read = "sysctl kernel.shm_rmid_forced";
    expect(await sandkube().inPod("sysctls", read)).toBe("kernel.shm_rmid_forced = 1\n");
    const write =
      "echo 0 > /proc/sys/kernel/shm_rmid_forced; hostname; cat /proc/sys/kernel/hostname";
    expect(await sandkube().inPod("sysctls", `(${write}) 2>&1`)).toMatch(
      /Read-only file system\nsysctls\nsysctls\n$/,
    );
    const events = ["get", "events", "--field-selector", "reason=NotEnforced", "-o", "name"];
    await waitUntil({
      for: "the event that names the setting",
      limitMs: 20_000,
      pollMs: 500,
      look: async () => {
        const found = await sandkube().kubectl(...events);
        return found.includes("event/sysctls.") ? { found } : { instead: found };
      },
    });
  });

  it("see ConfigMaps and Secrets as files and variables", async () => {
    const script = "cat /settings/colour; echo; echo $COLOUR; cat /credentials/password";
    expect(await sandkube().inPod("volumes", script)).toBe("green\ngreen\nswordfish");
  });

  it("see one file of a ConfigMap by subPath", async () => {
    expect(await sandkube().inPod("volumes", "cat /etc/app/app.conf")).toBe("listen = 8080\n");
  });

  it("have a projected token for an audience of their own", async () => {
    const [token, labels] = (
      await sandkube().inPod("volumes", "cat /projected/token; echo; cat /projected/labels")
    ).split("\n");
    const claims = JSON.parse(Buffer.from(token?.split(".")[1] ?? "", "base64url").toString());
    expect(claims).toMatchObject({
      aud: ["e2e"],
      "kubernetes.io": { pod: { name: "volumes" } },
    });
    expect(labels).toBe('app="volumes"');
  });

  it("share an emptyDir with their init containers", async () => {
    expect(await sandkube().inPod("volumes", "cat /scratch/state")).toBe("prepared\n");
  });

  it("are given a new container when their liveness probe fails", async () => {
    const ended = "jsonpath={.status.containerStatuses[0].lastState.terminated}";
    await sandkube().kubectl("wait", "pod/liveness", `--for=${ended}`, "--timeout=40s");
    await sandkube().untilReady("app=liveness");
    expect(await sandkube().inPod("liveness", "ls /state")).toBe("alive\nran-before\n");
  });

  it("are measured: the summary has their CPU and memory", async () => {
    const raw = "/api/v1/nodes/node-1/proxy/stats/summary";
    const summary = await waitUntil({
      for: "the summary to have CPU and memory of every hello pod",
      limitMs: 45_000,
      pollMs: 1_000,
      look: async () => {
        const text = await sandkube().kubectl("get", "--raw", raw);
        const found = JSON.parse(text) as StatsSummary;
        const measured = found.pods.filter(
          ({ podRef, cpu, memory }) =>
            podRef.name.startsWith("hello-") &&
            cpu?.usageNanoCores !== undefined &&
            (memory?.workingSetBytes ?? 0) > 0,
        );
        return measured.length === 2 ? { found } : { instead: text };
      },
    });
    expect(summary.node.cpu.usageCoreNanoSeconds).toBeGreaterThan(0);
    expect(summary.node.memory.workingSetBytes).toBeGreaterThan(0);
  });

  it("have no process left once they are deleted", async () => {
    const running = async () => {
      const processes = await sandkube().sandbox.processes();
      return processes.filter(({ command }) => command.endsWith("sleep 100001"));
    };
    expect(await running()).toHaveLength(1);
    await sandkube().kubectl("delete", "pod", "client", "--wait", "--timeout=40s");
    await waitUntil({
      for: "the process of the deleted pod to end",
      limitMs: 10_000,
      look: async () => {
        const left = await running();
        return left.length === 0 ? { found: left } : { instead: JSON.stringify(left) };
      },
    });
  });
});
