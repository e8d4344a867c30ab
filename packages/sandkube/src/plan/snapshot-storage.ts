import { works, type Facts } from "../sandbox/facts.js";

const mebibyte = 1024 ** 2;
const gibibyte = 1024 ** 3;

/** Below this size a tmpfs holds too few unpacked images to be of use. */
const smallestTmpfsBytes = 512 * mebibyte;
const largestTmpfsBytes = 8 * gibibyte;

/** Where containerd keeps unpacked images: overlayfs on disk, overlayfs on a tmpfs, or full copies on disk. */
export type SnapshotStorage =
  | { kind: "disk" }
  | { kind: "tmpfs"; sizeBytes: number }
  | { kind: "copies" };

/** Picks the cheapest storage that works; a tmpfs takes a quarter of the available memory, at most 8 GiB. */
export function snapshotStorage(facts: Facts): SnapshotStorage {
  if (works(facts, "overlay.upper-on-data")) return { kind: "disk" };
  if (!works(facts, "overlay.upper-on-tmpfs")) return { kind: "copies" };
  const quarter = Math.floor(facts.system.memoryAvailableBytes / 4 / mebibyte) * mebibyte;
  const sizeBytes = Math.min(quarter, largestTmpfsBytes);
  return sizeBytes < smallestTmpfsBytes ? { kind: "copies" } : { kind: "tmpfs", sizeBytes };
}
