import { describe, expect, it } from "vitest";
import type { RoleKind, RoleName } from "sandkube";
import { kill } from "./harness/kill-process.js";
import { answerInside } from "./harness/http.js";
import type { Pod } from "./harness/kubernetes.js";
import type { Sandkube } from "./harness/sandkube.js";
import { clusterForSuite, onceMoreIfTheSandboxDies } from "./harness/suites.js";
import { waitUntil } from "./harness/wait-until.js";

/** How each role's process is recognised in the sandbox. */
const commandLines: Record<Exclude<RoleKind, "network-init">, RegExp> = {
  supervisor: /sandkube-supervisor run /,
  "control-plane": /sandkube-runtime control-plane /,
  "node-init": /sandkube-supervisor node-init /,
  containerd: /sandkube-containerd containerd /,
  network: /sandkube-network run /,
  node: /sandkube-runtime node /,
};

describe("killed parts in g26", () => {
  const sandkube = clusterForSuite({ kind: "g26" }, async (cluster) => {
    await cluster.apply("survivor.yaml");
    await cluster.untilReady("app=survivor");
  });

  it.each(["control-plane", "node", "containerd", "network"] as const)(
    "%s: it is restarted, and the pod goes on as if nothing had happened",
    async (name) => {
      const { restarts } = await sandkube().role(name);
      const container = await survivorContainer(sandkube());
      const killed = await kill(sandkube(), commandLines[name]);

      const role = await restarted(sandkube(), name, restarts + 1);
      expect(role.pid).not.toBe(killed);
      expect(role.lastExit).toMatchObject({ signal: expect.stringMatching(/kill/i) });
      expect(await sandkube().do(["status"])).toContain(`Last end of ${name}: signal`);

      await untilNodeIsReady(sandkube());
      expect(await survivorContainer(sandkube())).toEqual(container);
      await untilSurvivorHasItsFiles(sandkube());
      await sandkube().kubectl("run", `after-${name}`, ...plainPod);
      await sandkube().untilReady(`run=after-${name}`);
    },
  );

  it("status names the component that ended a role", async () => {
    const { restarts } = await sandkube().role("node");
    const server = { host: "10.42.0.1", port: 10250, text: "not a kubelet" };
    {
      await using _thief = await answerInside(sandkube().sandbox, server);
      await kill(sandkube(), commandLines.node);
      const role = await waitUntil({
        for: "the node role to fail for want of the kubelet's port",
        limitMs: 60_000,
        look: async () => {
          const found = await sandkube().role("node");
          const byItself = found.restarts > restarts && found.lastExit?.signal === undefined;
          return byItself ? { found } : { instead: JSON.stringify(found) };
        },
      });
      expect(role.lastExit).toMatchObject({ service: "kubelet" });
    }
    await untilNodeIsReady(sandkube());
    await untilSurvivorHasItsFiles(sandkube());
  });

  it("a part that is stopped takes no other along when a third one ends", async () => {
    const { restarts } = await sandkube().role("network");
    const before = await sandkube().role("control-plane");
    const node = await kill(sandkube(), commandLines.node, "SIGSTOP");
    await kill(sandkube(), commandLines.network);
    await restarted(sandkube(), "network", restarts + 1);
    expect(await sandkube().role("control-plane")).toMatchObject({
      pid: before.pid,
      restarts: before.restarts,
    });
    expect(await kill(sandkube(), commandLines.node, "SIGCONT")).toBe(node);
    await untilNodeIsReady(sandkube());
  });

  it("a shim: its pod gets a new container", async () => {
    const { containerID } = await survivorContainer(sandkube());
    await kill(sandkube(), await shimOf(sandkube(), "survivor"));
    await untilSurvivorRunsIn(sandkube(), (id) => id !== containerID);
  });

  it(
    "node-init: the next up finds the node Ready and pods run again",
    onceMoreIfTheSandboxDies,
    async () => {
      const { restarts } = await sandkube().role("node-init");
      const { containerID } = await survivorContainer(sandkube());
      await kill(sandkube(), commandLines["node-init"]);
      await restarted(sandkube(), "node-init", restarts + 1);
      await sandkube().do(["up"]);
      await untilSurvivorRunsIn(sandkube(), (id) => id !== containerID);
    },
  );

  it(
    "supervisor: status says that the cluster is stopped, up resumes it",
    onceMoreIfTheSandboxDies,
    async () => {
      const { containerID } = await survivorContainer(sandkube());
      await kill(sandkube(), commandLines.supervisor);
      await waitUntil({
        for: "every process of the cluster to end with its supervisor",
        limitMs: 15_000,
        look: async () => {
          const left = (await sandkube().sandbox.processes()).filter(({ command }) =>
            Object.values(commandLines).some((pattern) => pattern.test(command)),
          );
          return left.length === 0 ? { found: true } : { instead: JSON.stringify(left) };
        },
      });
      expect(await sandkube().status()).toMatchObject({ state: "stopped", runtime: null });
      await sandkube().do(["up"]);
      await untilSurvivorRunsIn(sandkube(), (id) => id !== containerID);
    },
  );
});

const plainPod = [
  "--image=sandkube.local/busybox:1",
  "--restart=Never",
  '--overrides={"spec":{"terminationGracePeriodSeconds":1}}',
  "--",
  ...["sleep", "100000"],
];

/** The command line of the shim that a pod's containers run under. */
async function shimOf(sandkube: Sandkube, pod: string): Promise<RegExp> {
  const label = `labels."io.kubernetes.pod.name"==${pod}`;
  const listed = await sandkube.do(["ctr", "containers", "list", "-q", label]);
  const ids = listed.trim().split("\n");
  return new RegExp(`containerd-shim-runc-v2 .*-id (${ids.join("|")})( |$)`);
}

async function survivorContainer(sandkube: Sandkube) {
  const { metadata, status } = await sandkube.get<Pod>("pod", "survivor");
  const [container] = status.containerStatuses ?? [];
  return {
    uid: metadata.uid,
    containerID: container?.containerID,
    restartCount: container?.restartCount,
    ready: container?.ready === true,
  };
}

/**
 * Waits until the pod shows its files. A kubelet that has just started knows no pod until it has
 * listed them, and says so to whoever execs.
 */
async function untilSurvivorHasItsFiles(sandkube: Sandkube): Promise<void> {
  await waitUntil({
    for: "the pod to show its volumes",
    limitMs: 30_000,
    look: async () => {
      const { stdout, stderr } = await sandkube.run([
        ...["kubectl", "exec", "survivor", "--"],
        ...["cat", "/scratch/state", "/credentials/password"],
      ]);
      return stdout === "kept\nswordfish" ? { found: true } : { instead: stdout + stderr };
    },
  });
}

async function untilSurvivorRunsIn(
  sandkube: Sandkube,
  isWanted: (containerID: string | undefined) => boolean,
): Promise<void> {
  await waitUntil({
    for: "the pod to run in another container",
    limitMs: 90_000,
    pollMs: 1_000,
    look: async () => {
      const found = await survivorContainer(sandkube);
      const isBack = found.ready && isWanted(found.containerID);
      return isBack ? { found } : { instead: JSON.stringify(found) };
    },
  });
  await untilSurvivorHasItsFiles(sandkube);
}

/** Waits until a role has been restarted this often and is ready again. */
async function restarted(sandkube: Sandkube, name: RoleName, restarts: number) {
  return await waitUntil({
    for: `${name} to be restarted and ready`,
    limitMs: 60_000,
    look: async () => {
      const found = await sandkube.role(name);
      const isBack = found.restarts >= restarts && found.ready;
      return isBack ? { found } : { instead: JSON.stringify(found) };
    },
  });
}

async function untilNodeIsReady(sandkube: Sandkube): Promise<void> {
  await waitUntil({
    for: "the API server to say that the node is Ready",
    limitMs: 60_000,
    look: async () => {
      const ready = ["--for=condition=Ready", "node/node-1", "--timeout=30s"];
      const { exitCode, stderr } = await sandkube.run(["kubectl", "wait", ...ready]);
      return exitCode === 0 ? { found: true } : { instead: stderr };
    },
  });
}
