import { describe, expect, it } from "vitest";
import { parseOptions, UsageError } from "./options.js";

describe("parseOptions", () => {
  it("runs and records all conformance specs in g26 unless told otherwise", () => {
    expect(parseOptions([])).toEqual({
      suite: "conformance",
      kind: "g26",
      focus: String.raw`\[Conformance\]`,
      skip: null,
      smoke: false,
      ifBuilt: false,
      nodes: 1,
      parallel: 1,
      shard: null,
      earlier: "discard",
      output: null,
      record: true,
      build: true,
      json: false,
      help: false,
    });
  });

  it.each([
    { args: ["--lab", "g24"], has: { kind: "g24" } },
    { args: ["--suite", "critest"], has: { suite: "critest", focus: null, nodes: 1 } },
    { args: ["--nodes", "2"], has: { nodes: 2 } },
    { args: ["--parallel", "3"], has: { parallel: 3 } },
    { args: ["--shard", "2/4"], has: { shard: { index: 2, count: 4 } } },
    { args: ["--smoke", "--if-built"], has: { smoke: true, ifBuilt: true } },
    { args: ["--resume"], has: { earlier: "resume" } },
    { args: ["--failed"], has: { earlier: "repeat-failed" } },
    { args: ["--no-record", "--no-build"], has: { record: false, build: false } },
  ])("takes $args", ({ args, has }) => {
    expect(parseOptions(args)).toMatchObject(has);
  });

  it.each([
    { args: ["--lab", "g22"], says: /--lab .*g22/ },
    { args: ["--suite", "e2e"], says: /--suite .*e2e/ },
    { args: ["--suite", "critest", "--nodes", "2"], says: /--nodes .*critest/ },
    { args: ["--suite", "critest", "--smoke"], says: /--smoke .*critest/ },
    { args: ["--nodes", "two"], says: /--nodes .*two/ },
    { args: ["--parallel", "0"], says: /--parallel .*0/ },
    { args: ["--shard", "3/2"], says: /--shard .*3\/2/ },
    { args: ["--shard", "0/2"], says: /--shard .*0\/2/ },
    { args: ["--resume", "--failed"], says: /--resume and --failed/ },
    { args: ["--resume", "--focus", "x"], says: /--focus .*--resume/ },
    { args: ["--failed", "--shard", "1/2"], says: /--shard .*--failed/ },
    { args: ["--smoke", "--focus", "x"], says: /--smoke/ },
    { args: ["--fokus", "x"], says: /--fokus/ },
    { args: ["g26"], says: /g26/ },
  ])("refuses $args", ({ args, says }) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(says);
  });
});
