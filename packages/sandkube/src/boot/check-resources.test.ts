import { expect, test } from "vitest";
import {
  checkClock,
  checkDisk,
  checkMemory,
  earliestTime,
  leastDiskBytes,
  leastMemoryBytes,
} from "./check-resources.js";

test("a clock that was never set, or was set back behind the cluster's making, is refused", () => {
  const createdAt = "2026-11-24T12:00:00.000Z";
  expect(() => checkClock(0, null)).toThrow("the clock says 1970-01-01T00:00:00.000Z");
  checkClock(earliestTime, null);
  expect(() => checkClock(Date.parse("2026-11-22T00:00:00Z"), createdAt)).toThrow(
    "its certificates are not valid yet",
  );
  // Clocks differ by a little, and by hours where somebody took local time for UTC.
  checkClock(Date.parse("2026-11-24T00:00:00Z"), createdAt);
});

test("too little memory is refused with both amounts, an unknown amount is not", () => {
  checkMemory(leastMemoryBytes("full"), "full");
  checkMemory(0, "full");
  expect(() => checkMemory(200 * 1024 ** 2, "full")).toThrow(
    "only 200 MiB of memory are available, and a cluster with a node needs 320 MiB",
  );
  checkMemory(200 * 1024 ** 2, "control-plane");
});

test("a full disk is refused, one that reports no size is not", () => {
  const bsize = 4096;
  checkDisk({ bavail: leastDiskBytes / bsize, bsize, blocks: 1e6 }, "/data");
  checkDisk({ bavail: 0, bsize, blocks: 0 }, "/data");
  expect(() => checkDisk({ bavail: 256, bsize, blocks: 1e6 }, "/data")).toThrow(
    "only 1 MiB are free where /data lies",
  );
});
