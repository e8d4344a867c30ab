import { describe, expect, it } from "vitest";
import { sightingOf } from "./measure-changes.js";

describe("sightingOf", () => {
  const line = JSON.stringify({ atUnixMilliseconds: 1_000.5, answer: "server-2", failure: "" });

  it("is when the server answered first", () => {
    expect(sightingOf(line, "server-2", 900)).toBe(1_000.5);
  });

  it("passes over other servers, and what was before the change", () => {
    expect(sightingOf(line, "server-1", 900)).toBeNull();
    expect(sightingOf(line, "server-2", 1_001)).toBeNull();
  });
});
