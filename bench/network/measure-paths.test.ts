import { describe, expect, it } from "vitest";
import { pairsOf } from "./measure-paths.js";

const of = (target: string, count: number) => ({ target, count });

describe("pairsOf", () => {
  it("pairs turn by turn, whichever target came first", () => {
    const figures = [of("pod", 1), of("service", 2), of("service", 3), of("pod", 4)];
    expect(pairsOf(figures, "pod", "service")).toEqual([
      { direct: of("pod", 1), through: of("service", 2) },
      { direct: of("pod", 4), through: of("service", 3) },
    ]);
  });

  it("refuses what has no counterpart", () => {
    expect(() => pairsOf([of("pod", 1)], "pod", "service")).toThrow(/1 .* pod, 0 .* service/);
    expect(() => pairsOf([], "pod", "service")).toThrow(/0 .* pod/);
  });
});
