import { describe, expect, it } from "vitest";
import { formatIpv4, isIpv4Range, parseIpv4Range, rangesOverlap } from "./ipv4-range.js";

describe("parseIpv4Range", () => {
  it.each([
    ["0.0.0.0/0", { first: 0, prefix: 0 }],
    ["10.42.0.0/16", { first: 0x0a2a0000, prefix: 16 }],
    ["255.255.255.255/32", { first: 0xffffffff, prefix: 32 }],
  ])("reads %s", (text, range) => {
    expect(parseIpv4Range(text)).toEqual(range);
    expect(`${formatIpv4(range.first)}/${range.prefix}`).toBe(text);
  });

  it.each([
    "",
    "10.42.0.0",
    "10.42.0.0/33",
    "10.256.0.0/16",
    "10.42/16",
    "fd00::/64",
    " 10.42.0.0/16",
  ])("rejects %j", (text) => {
    expect(() => parseIpv4Range(text)).toThrow(RangeError);
    expect(isIpv4Range(text)).toBe(false);
  });

  it("proposes the range when an address is given", () => {
    expect(() => parseIpv4Range("10.42.7.1/16")).toThrow("did you mean 10.42.0.0/16?");
  });
});

describe("rangesOverlap", () => {
  it.each([
    ["10.42.0.0/16", "10.43.0.0/16", false],
    ["10.42.0.0/16", "10.42.0.0/16", true],
    ["10.42.0.0/16", "10.42.128.0/24", true],
    ["10.0.0.0/8", "10.43.0.0/16", true],
    ["192.0.0.0/2", "255.0.0.0/8", true],
  ])("%s and %s: %s", (a, b, overlap) => {
    expect(rangesOverlap(parseIpv4Range(a), parseIpv4Range(b))).toBe(overlap);
    expect(rangesOverlap(parseIpv4Range(b), parseIpv4Range(a))).toBe(overlap);
  });
});
