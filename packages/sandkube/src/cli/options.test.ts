import { expect, test } from "vitest";
import { parseBytes, parseCount, parseDurationMs, parsePort } from "./options.js";

test.each([
  ["90", 90_000],
  ["90s", 90_000],
  ["1.5m", 90_000],
  ["500ms", 500],
  ["1h", 3_600_000],
  ["0", 0],
])("the duration %s is %i ms", (text, ms) => {
  expect(parseDurationMs(text)).toBe(ms);
});

test.each(["", "s", "-1", "1d", "1 s", "1e3"])("%j is no duration", (text) => {
  expect(() => parseDurationMs(text)).toThrow("duration");
});

test.each([
  ["1000000", 1_000_000],
  ["500MiB", 500 * 1024 ** 2],
  ["1.5g", 1.5 * 1024 ** 3],
  ["2KB", 2048],
])("the size %s is %i bytes", (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes);
});

test.each(["", "0", "-1", "GiB", "1 GiB", "5X", "9999999T"])("%j is no size", (text) => {
  expect(() => parseBytes(text)).toThrow("size");
});

test.each(["0", "65536", "http", "80.5", "-1"])("%j is no port", (text) => {
  expect(() => parsePort(text)).toThrow("between 1 and 65535");
});

test("ports and counts are numbers", () => {
  expect(parsePort("6443")).toBe(6443);
  expect(parseCount("0")).toBe(0);
  expect(() => parseCount("-1")).toThrow("whole number");
});
