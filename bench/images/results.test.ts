import { expect, test } from "vitest";
import { imagesSections } from "./report.js";
import { imagesResult } from "./results.js";
import type { ImagesRound } from "./rounds.js";

const load = (untarSeconds: number, loadSeconds: number, peakBytes: number) => ({
  pairs: [{ untarSeconds, loadSeconds }],
  copiesSeconds: 2 * loadSeconds,
  memory: { idleBytes: 50e6, peakBytes },
});

const round = (untarSeconds: number): ImagesRound => ({
  loads: { plain: load(untarSeconds, 6, 150e6), gzip: load(4, 4, 90e6) },
  pullSeconds: 5,
  pullCopiesSeconds: 6,
  secondPodSeconds: 1,
  secondPodLayers: 0,
});

test("ratios are of a load and the tar beside it, memory is what a load adds", () => {
  const result = imagesResult("g26", [round(2), round(3), round(6)]);
  expect(result.loads.plain.ratio).toMatchObject({ median: 2, min: 1, max: 3 });
  expect(result.loads.plain.copiesRatio.median).toBe(4);
  expect(result.loads.gzip.memoryMB.median).toBe(40);
});

test("the tables have a column for each kind of sandbox", () => {
  const results = [imagesResult("g26", [round(2)]), imagesResult("bare", [round(2)])];
  const [plain, , pods] = imagesSections(results);
  expect(plain?.rows[0]).toEqual(["median and range", "g26", "bare"]);
  expect(plain?.rows).toContainEqual([expect.stringContaining("1.5 x"), "3.00", "3.00"]);
  expect(pods?.rows.at(-1)).toEqual(["layers that it unpacks", "0", "0"]);
});
