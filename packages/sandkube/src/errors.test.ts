import { describe, expect, it } from "vitest";
import { errorCodes, SandkubeError, type ErrorCode } from "./errors.js";

describe("errorCodes", () => {
  it("gives each code an exit code of its own", () => {
    const exitCodes = Object.values(errorCodes).map(({ exitCode }) => exitCode);
    expect(new Set(exitCodes).size).toBe(exitCodes.length);
  });

  it("keeps 3 to 9 free, and all that shells use from 126 on but 130", () => {
    for (const { exitCode } of Object.values(errorCodes)) {
      expect([1, 2, 130].includes(exitCode) || (exitCode >= 10 && exitCode < 126)).toBe(true);
    }
  });
});

describe("SandkubeError", () => {
  it("can be written as JSON, without the cause", () => {
    const error = new SandkubeError("E_START", "the node did not start", {
      hint: "See the log.",
      details: { role: "node", log: "/d/logs/node.log" },
      cause: new Error("inner"),
    });
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      code: "E_START",
      message: "the node did not start",
      hint: "See the log.",
      details: { role: "node", log: "/d/logs/node.log" },
      exitCode: 24,
    });
    expect(error.cause).toBeInstanceOf(Error);
  });

  const abort = new AbortController();
  abort.abort();
  it.each<[string, unknown, ErrorCode]>([
    ["an error of the library", new SandkubeError("E_LOCKED", "busy"), "E_LOCKED"],
    ["an abort", abort.signal.reason, "E_CANCELLED"],
    ["a timeout", new DOMException("late", "TimeoutError"), "E_TIMEOUT"],
    ["a full disk", Object.assign(new Error("ENOSPC"), { code: "ENOSPC" }), "E_DATA_DIRECTORY"],
    ["another error", new TypeError("x is undefined"), "E_INTERNAL"],
    ["what is no error", "text", "E_INTERNAL"],
  ])("takes %s", (_name, thrown, code) => {
    expect(SandkubeError.from(thrown).code).toBe(code);
  });
});
