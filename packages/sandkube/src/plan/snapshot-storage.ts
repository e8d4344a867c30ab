import { works, type Facts } from "../sandbox/facts.js";

const mebibyte = 1024 ** 2;
const gibibyte = 1024 ** 3;

/** Below this size a tmpfs holds too few unpacked images to be of use where the disk can hold copies. */
const smallestTmpfsBytes = 512 * mebibyte;
/** The least that is of any use. */
const leastTmpfsBytes = 256 * mebibyte;
const largestTmpfsBytes = 8 * gibibyte;
/** Full copies of a few small images need more than this. */
const leastDiskForCopiesBytes = 2 * gibibyte;

/** Where containerd keeps unpacked images: overlayfs on disk, overlayfs on a tmpfs, or full copies on disk. */
export type SnapshotStorage =
  | { kind: "disk" }
  | { kind: "tmpfs"; sizeBytes: number }
  | { kind: "copies" };

/**
 * Picks the cheapest storage that works; a tmpfs takes a quarter of the available memory, at most 8 GiB.
 * Where memory is short, copies on the disk take its place, unless the disk is too small for them.
 */
export function snapshotStorage(facts: Facts): SnapshotStorage {
  if (works(facts, "overlay.upper-on-data")) return { kind: "disk" };
  if (!works(facts, "overlay.upper-on-tmpfs")) return { kind: "copies" };
  const { memoryAvailableBytes, dataFreeBytes } = facts.system;
  const quarter = Math.floor(memoryAvailableBytes / 4 / mebibyte) * mebibyte;
  const sizeBytes = Math.min(quarter, largestTmpfsBytes);
  // The probe reports 0 where the sandbox does not tell.
  const diskIsShort = dataFreeBytes > 0 && dataFreeBytes < leastDiskForCopiesBytes;
  const least = diskIsShort ? leastTmpfsBytes : smallestTmpfsBytes;
  return sizeBytes < least ? { kind: "copies" } : { kind: "tmpfs", sizeBytes };
}
