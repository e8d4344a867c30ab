import { expect, it } from "vitest";
import { busyShare, parseProcessorTime } from "./quiet.js";

const stat = `cpu  100 10 50 800 40 5 5 0 30 0
cpu0 50 5 25 400 20 3 2 0 15 0
intr 1 2 3
`;

it("counts waiting for the disk as idle, and guests once", () => {
  expect(parseProcessorTime(stat)).toEqual({ total: 1010, idle: 840 });
});

it("refuses what is no /proc/stat", () => {
  expect(() => parseProcessorTime("cpu0 1 2 3\n")).toThrow(/\/proc\/stat/);
});

it("takes the share of what passed between two readings", () => {
  expect(busyShare({ total: 1000, idle: 900 }, { total: 1200, idle: 1050 })).toBe(0.25);
  expect(busyShare({ total: 1000, idle: 900 }, { total: 1000, idle: 900 })).toBe(0);
});
