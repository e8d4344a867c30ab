import { expect, test } from "vitest";
import { describe } from "./image.js";

test("progress says how much of how much, and how fast", () => {
  const mebibyte = 1024 ** 2;
  const reading = { type: "image-progress", phase: "reading", bytes: 120 * mebibyte } as const;
  expect(describe({ ...reading, totalBytes: 300 * mebibyte }, 2_000)).toBe(
    "Reading 120.0 MiB of 300.0 MiB, 60.0 MiB/s",
  );
  expect(describe(reading, 0)).toBe("Reading 120.0 MiB");
  expect(describe({ ...reading, phase: "unpacking", image: "x:1", layer: 2, layers: 12 }, 0)).toBe(
    "Unpacking x:1: 120.0 MiB, layer 2 of 12",
  );
});
