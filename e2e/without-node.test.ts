import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { plainUser } from "../lab/src/index.js";
import { sandboxForSuite } from "./harness/suites.js";
import { tracesOf } from "./harness/traces.js";
import { waitUntil } from "./harness/wait-until.js";

describe.each(["g26", "g24"] as const)("without any privilege in %s", (kind) => {
  const sandkube = sandboxForSuite({ kind, user: plainUser.uid });

  beforeAll(async () => {
    // The XDG base directory is shared by all programs: whichever comes first makes it for good.
    const { sandbox } = sandkube();
    await sandbox.exec(["mkdir", "-p", `${plainUser.home}/.local/share`], { user: plainUser.uid });
  });

  afterEach(async () => {
    await sandkube().run(["delete"]);
  });

  it("refuses a node, says what is missing and what can be had", async () => {
    const before = await tracesOf(sandkube().sandbox);
    const { exitCode, stderr } = await sandkube().run(["up"]);
    expect(exitCode).toBe(14);
    expect(stderr).toContain("E_PRIVILEGE");
    expect(stderr).toContain(`uid ${plainUser.uid}`);
    expect(stderr).toContain("--control-plane");
    expect(await tracesOf(sandkube().sandbox)).toEqual(before);
  });

  it("runs a control plane that takes objects and leaves nothing when deleted", async () => {
    const before = await tracesOf(sandkube().sandbox);
    await sandkube().do(["up", "--control-plane"]);
    await sandkube().kubectl("create", "configmap", "settings", "--from-literal=colour=green");
    await sandkube().apply("pending.yaml");

    const colour = ["configmap", "settings", "-o", "jsonpath={.data.colour}"];
    expect(await sandkube().kubectl("get", ...colour)).toBe("green");
    await waitUntil({
      for: "the controllers to make the Deployment's pod, and the scheduler to look at it",
      limitMs: 30_000,
      look: async () => {
        const reason = [
          "pods",
          "-l",
          "app=pending",
          "-o",
          "jsonpath={.items[*].status.conditions[*].reason}",
        ];
        const instead = await sandkube().kubectl("get", ...reason);
        return instead === "Unschedulable" ? { found: instead } : { instead };
      },
    });

    await sandkube().do(["delete"]);
    expect(await tracesOf(sandkube().sandbox)).toEqual(before);
  });

  it("documents built-in and custom resources, and lets policies change them", async () => {
    await sandkube().do(["up", "--control-plane"]);
    await sandkube().apply("custom-resources.yaml");
    expect(await sandkube().kubectl("explain", "deployment.spec.replicas")).toContain(
      "Number of desired pods",
    );
    await waitUntil({
      for: "the API server to document the custom resource",
      limitMs: 30_000,
      look: async () => {
        const { stdout, stderr } = await sandkube().run(["kubectl", "explain", "widget.spec.size"]);
        const isThere = stdout.includes("How large the widget is.");
        return isThere ? { found: stdout } : { instead: stdout + stderr };
      },
    });
    expect(await sandkube().kubectl("get", "--raw", "/openapi/v2")).toContain(
      "dev.example.v1.Widget",
    );

    const stdin =
      '{"apiVersion":"example.dev/v1","kind":"Widget","metadata":{"generateName":"a-"}}';
    await waitUntil({
      for: "the policy to set the size of a new custom resource",
      limitMs: 30_000,
      look: async () => {
        const create = ["kubectl", "create", "-f", "-", "-o", "jsonpath={.spec.size}"];
        const { stdout, stderr } = await sandkube().run(create, { stdin });
        return stdout === "7" ? { found: stdout } : { instead: stdout + stderr };
      },
    });
  });

  it("checks a Helm chart against the real API", async () => {
    await sandkube().do(["up", "--control-plane"]);
    const chart = `${sandkube().sandbox.checkout}/e2e/charts/webapp`;
    const validate = async (...values: string[]) => {
      const stdin = await sandkube().do(["helm", "template", "shop", chart, ...values]);
      return await sandkube().run(["kubectl", "apply", "--dry-run=server", "-f", "-"], { stdin });
    };

    const accepted = await validate();
    expect(accepted.stderr).toBe("");
    expect(accepted.stdout.trim().split("\n").toSorted()).toEqual(
      [
        "configmap/shop-webapp",
        "deployment.apps/shop-webapp",
        "horizontalpodautoscaler.autoscaling/shop-webapp",
        "ingress.networking.k8s.io/shop-webapp",
        "poddisruptionbudget.policy/shop-webapp",
        "role.rbac.authorization.k8s.io/shop-webapp",
        "rolebinding.rbac.authorization.k8s.io/shop-webapp",
        "service/shop-webapp",
        "serviceaccount/shop-webapp",
      ].map((object) => `${object} created (server dry run)`),
    );

    const refused = await validate("--set", "ingress.host=Not_A_Host");
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('Ingress "shop-webapp" is invalid: spec.rules[0].host');
    expect(await sandkube().kubectl("get", "deployments", "-o", "name")).toBe("");
  });
});
