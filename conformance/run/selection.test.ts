import { describe, expect, it } from "vitest";
import { focusOn, shardOf } from "./selection.js";

describe("shardOf", () => {
  it("has every name in one part", () => {
    const names = ["e", "d", "c", "b", "a"];
    const parts = [1, 2, 3].map((index) => shardOf(names, { index, count: 3 }));
    expect(parts).toEqual([["a", "d"], ["b", "e"], ["c"]]);
  });
});

describe("focusOn", () => {
  const suite = "Kubernetes e2e suite";

  it("matches the texts of these specs, and no more", () => {
    const [expression = "", ...others] = focusOn(suite, ["[sig-x] a (b) $c.*", "[sig-x] a"]);
    expect(others).toEqual([]);
    const focus = new RegExp(expression);
    expect(focus.test(`${suite} [sig-x] a (b) $c.*`)).toBe(true);
    expect(focus.test(`${suite} [sig-x] a`)).toBe(true);
    expect(focus.test(`${suite} [sig-x] a (b) $c.d`)).toBe(false);
    expect(focus.test(`${suite} [sig-x] ab`)).toBe(false);
  });

  it("keeps every argument below what Linux takes", () => {
    const names = Array.from({ length: 500 }, (_, index) => `${"[".repeat(200)}${index}`);
    const expressions = focusOn(suite, names);
    for (const expression of expressions) expect(expression.length).toBeLessThan(128 * 1024);
    expect(expressions.flatMap((expression) => expression.split("|"))).toHaveLength(500);
  });
});
