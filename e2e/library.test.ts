import { describe, expect, it } from "vitest";
import { testImages } from "./images/test-images.js";
import { sandboxForSuite } from "./harness/suites.js";
import { tracesOf } from "./harness/traces.js";

describe("the library in g26", () => {
  const sandkube = sandboxForSuite({ kind: "g26" });

  it("makes a cluster, uses it, deletes it at the end of its scope, and can be cancelled", async () => {
    const { sandbox } = sandkube();
    const { directory } = await testImages(AbortSignal.timeout(60_000));
    const archive = sandbox.pathInside(`${directory}/hello.tar`);
    const before = await tracesOf(sandbox);
    const program = ["node", "--import", "tsx", "e2e/inside/use-library.ts", archive];
    const { exitCode, stdout, stderr } = await sandbox.exec(program, {
      cwd: sandbox.checkout,
      env: { TSX_DISABLE_CACHE: "1" },
      timeoutMs: 150_000,
    });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).toEqual({
      steps: expect.arrayContaining(["probe", "supervisor", "node-ready"]),
      running: {
        state: "running",
        mode: "full",
        loaded: ["sandkube.local/hello:1"],
        kubectl: { exitCode: 0, signal: null },
      },
      cancelled: "E_CANCELLED",
      gone: "E_CLUSTER_NOT_FOUND",
      left: [],
    });
    expect(await tracesOf(sandbox)).toEqual(before);
  });
});
