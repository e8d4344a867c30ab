import { median } from "../statistics.js";
import type { PartMemory } from "./read-memory.js";

/** What a measurement read of the memory of one cluster. */
export interface MemoryReadings {
  readonly memory: readonly PartMemory[];
  /** Held by tmpfs mounts of the node; none without a node. */
  readonly tmpfsBytes?: number;
  /** In use in the whole sandbox, as it says itself; null on the bare kernel. */
  readonly usedBytes: number | null;
  readonly hostMemoryBytes: number;
}

/** Medians of the readings of a kind of cluster, in bytes. */
export interface ClusterMemory {
  /** Without the processes of the user's pods. */
  readonly parts: readonly PartMemory[];
  readonly tmpfsBytes: number;
  /** Of the sums of the parts and the tmpfs mounts. */
  readonly totalBytes: number;
  /** In use in the whole sandbox, as it says itself; null on the bare kernel. */
  readonly usedBytes: number | null;
  /** Of this machine, by the whole sandbox: gVisor itself and the pods' processes included. */
  readonly hostBytes: number;
}

/** The part whose processes are the user's and do not count as a cluster's. */
export const userPart = "pods";

export function clusterMemory(readings: readonly MemoryReadings[]): ClusterMemory {
  const own = readings.map(({ memory }) => memory.filter(({ part }) => part !== userPart));
  const names = new Set(own.flat().map(({ part }) => part));
  const used = readings.map(({ usedBytes }) => usedBytes).filter((bytes) => bytes !== null);
  return {
    parts: [...names].map((name) => {
      const found = own.flat().filter(({ part }) => part === name);
      return {
        part: name,
        processes: median(found.map(({ processes }) => processes)),
        sizeBytes: median(found.map(({ sizeBytes }) => sizeBytes)),
      };
    }),
    tmpfsBytes: median(readings.map(({ tmpfsBytes = 0 }) => tmpfsBytes)),
    totalBytes: median(
      readings.map(({ tmpfsBytes = 0 }, index) => sumOf(own[index] ?? []) + tmpfsBytes),
    ),
    usedBytes: used.length === 0 ? null : median(used),
    hostBytes: median(readings.map(({ hostMemoryBytes }) => hostMemoryBytes)),
  };
}

/** What a cluster is taken to use: what its sandbox says, or else the sum of its parts; bytes. */
export function bytesInUse({ usedBytes, totalBytes }: ClusterMemory): number {
  return usedBytes ?? totalBytes;
}

function sumOf(parts: readonly PartMemory[]): number {
  return parts.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
}
