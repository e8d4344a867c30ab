import { describe, expect, it } from "vitest";
import { answerInside } from "./harness/http.js";
import { sandboxForSuite } from "./harness/suites.js";
import { tracesOf } from "./harness/traces.js";
import { parseUpOutput } from "./harness/up-output.js";

describe("a taken port in g26", () => {
  const sandkube = sandboxForSuite({ kind: "g26" });

  it("is named with the way around it, which works", async () => {
    const server = { host: "127.0.0.1", port: 6443, text: "not an API server" };
    await using listener = await answerInside(sandkube().sandbox, server);
    await listener.listening;
    const before = await tracesOf(sandkube().sandbox);

    const { exitCode, stderr } = await sandkube().run(["up"]);
    expect(exitCode).toBe(16);
    expect(stderr).toContain("E_PORT_TAKEN");
    expect(stderr).toMatch(/port 6443, .* is taken by process \d+ \(node .*answer-http.mjs/);
    expect(stderr).toContain("--api-port");
    expect(await tracesOf(sandkube().sandbox)).toEqual(before);

    const { result } = parseUpOutput(await sandkube().do(["up", "--json", "--api-port", "7443"]));
    expect(result.server).toBe("https://127.0.0.1:7443");
    expect(await sandkube().kubectl("get", "nodes", "-o", "name")).toBe("node/node-1\n");
    await sandkube().do(["delete"]);
    expect(await tracesOf(sandkube().sandbox)).toEqual(before);
  });
});
