import { expect, it } from "vitest";
import { grown, memoryLines } from "./role-memory.js";

const before = new Map([
  ["supervisor", 20 * 1024],
  ["control-plane", 300 * 1024],
]);
const after = new Map([
  ["supervisor", 40 * 1024],
  ["control-plane", 500 * 1024],
]);

it("finds the parts that have grown by more than they may", () => {
  expect(grown(before, after)).toEqual(["memory supervisor: 20 MiB before, 40 MiB after"]);
});

it("tells how much each has", () => {
  expect(memoryLines(before, after).at(-1)).toBe("control-plane: 300 MiB before, 500 MiB after");
});
