import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sandboxForSuite } from "./harness/suites.js";
import { tracesOf, type Traces } from "./harness/traces.js";
import { isStepEvent, parseUpOutput } from "./harness/up-output.js";

/** Points of an `up` at which it is interrupted: before, while and after its processes start. */
const moments = [
  ["step-started", "probe"],
  ["step-started", "supervisor"],
  ["step-started", "api-ready"],
  ["step-started", "node-ready"],
] as const;

describe("an interrupted up in g26", () => {
  const sandkube = sandboxForSuite({ kind: "g26" });
  let before: Traces;

  beforeEach(async () => {
    before = await tracesOf(sandkube().sandbox);
  });

  /** Starts `up` and waits until it has come to a point. */
  const upTo = async ([type, step]: (typeof moments)[number]) => {
    const up = sandkube().start(["up", "--json"]);
    await up.output.until(`${type} ${step}`, (line) => isStepEvent(line, type, step) || null);
    return up;
  };

  describe("killed", () => {
    afterEach(async () => {
      await sandkube().run(["delete"]);
    });

    it.each(moments)("at %s %s: the next up succeeds", async (...moment) => {
      const up = await upTo(moment);
      await up.process.kill("SIGKILL");
      expect(await up.process.exited).toBe(137);
      const { state } = await sandkube().status();
      expect(["starting", "unfinished"]).toContain(state);

      const { result } = parseUpOutput(await sandkube().do(["up", "--json"]));
      expect(result.created).toBe(true);
      expect(await sandkube().kubectl("get", "nodes", "-o", "name")).toBe("node/node-1\n");
      expect(supervisors(await sandkube().sandbox.processes())).toHaveLength(1);

      await sandkube().do(["delete"]);
      expect(await tracesOf(sandkube().sandbox)).toEqual(before);
    });
  });

  it.each(moments)("Ctrl-C at %s %s takes back everything", async (...moment) => {
    const up = await upTo(moment);
    await up.process.kill("SIGINT");
    expect(await up.process.exited).toBe(130);
    expect(up.output.text).toContain("E_CANCELLED");
    const { exitCode } = await sandkube().run(["status"]);
    expect(exitCode).toBe(19);
    expect(await tracesOf(sandkube().sandbox)).toEqual(before);
  });

  it("two at the same time both succeed, with one cluster", async () => {
    const outputs = await Promise.all([
      sandkube().do(["up", "--json"]),
      sandkube().do(["up", "--json"]),
    ]);
    const created = outputs.map((stdout) => parseUpOutput(stdout).result.created);
    expect(created.toSorted()).toEqual([false, true]);
    expect(supervisors(await sandkube().sandbox.processes())).toHaveLength(1);
    await sandkube().do(["delete"]);
    expect(await tracesOf(sandkube().sandbox)).toEqual(before);
  });
});

function supervisors(processes: readonly { command: string }[]) {
  return processes.filter(({ command }) => command.includes("sandkube-supervisor run "));
}
