import { describe, expect, it } from "vitest";
import { median, seriesByName, seriesOf } from "./statistics.js";

describe("median", () => {
  it.each([
    { samples: [7], expected: 7 },
    { samples: [3, 1], expected: 2 },
    { samples: [9, 1, 5], expected: 5 },
    // Numbers, not texts: 10 comes after 9.
    { samples: [10, 9, 100], expected: 10 },
    { samples: [4, 1, 3, 2], expected: 2.5 },
  ])("of $samples is $expected", ({ samples, expected }) => {
    expect(median(samples)).toBe(expected);
  });

  it("leaves the samples as they are", () => {
    const samples = [3, 1, 2];
    median(samples);
    expect(samples).toEqual([3, 1, 2]);
  });
});

describe("seriesOf", () => {
  it("keeps the samples in the order of the rounds", () => {
    expect(seriesOf([3, 1, 2])).toEqual({ samples: [3, 1, 2], median: 2, min: 1, max: 3 });
  });

  it("makes no figure of nothing", () => {
    expect(() => seriesOf([])).toThrow(RangeError);
  });
});

describe("seriesByName", () => {
  it("takes a name from the rounds that have it", () => {
    const series = seriesByName([{ etcd: 1, api: 5 }, { etcd: 3 }, { etcd: 2, late: 8 }]);
    expect(Object.keys(series)).toEqual(["etcd", "api", "late"]);
    expect(series["etcd"]?.median).toBe(2);
    expect(series["api"]?.samples).toEqual([5]);
  });
});
