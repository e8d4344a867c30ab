import { describe, expect, it } from "vitest";
import { parseOptions, scopes, UsageError } from "./options.js";

describe("parseOptions", () => {
  it("runs and records the network's specs in g26 unless told otherwise", () => {
    expect(parseOptions([])).toEqual({
      kind: "g26",
      focus: scopes["sig-network"],
      skip: null,
      output: null,
      scope: "sig-network",
      build: true,
      help: false,
    });
  });

  it("records a run of all specs", () => {
    expect(parseOptions(["--lab", "g24", "--focus", scopes.all])).toMatchObject({
      kind: "g24",
      scope: "all",
    });
  });

  it.each([
    { what: "other specs", args: ["--focus", "DNS"] },
    { what: "less than a scope", args: ["--skip", "HostPort"] },
    { what: "what is not to be recorded", args: ["--no-record"] },
  ])("does not record $what", ({ args }) => {
    expect(parseOptions(args).scope).toBeNull();
  });

  it.each([
    { args: ["--lab", "g22"], says: /--lab .*g22/ },
    { args: ["--fokus", "x"], says: /--fokus/ },
    { args: ["g26"], says: /g26/ },
  ])("refuses $args", ({ args, says }) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(says);
  });
});
