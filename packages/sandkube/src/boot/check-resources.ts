import { randomBytes } from "node:crypto";
import * as fs from "node:fs/promises";
import { freemem } from "node:os";
import { join } from "node:path";
import { SandkubeError } from "../errors.js";
import type { ClusterMode } from "../events.js";
import { isExecutable } from "../platform/files.js";
import type { Plan } from "../plan/plan.js";
import type { Facts } from "../sandbox/facts.js";

const mebibyte = 1024 ** 2;
const dayMs = 24 * 60 * 60 * 1_000;

/**
 * Below this a cluster does not come up, or is killed while it does: measured, an idle control plane
 * takes some 300 MiB, a node with it some 450 MiB, part of it pages of programs that can be dropped.
 */
export function leastMemoryBytes(mode: ClusterMode, nodes = 1): number {
  if (mode === "control-plane") return 192 * mebibyte;
  return (320 + (nodes - 1) * furtherNodeMebibytes) * mebibyte;
}

/** What an idle node takes beside the first one, measured (docs/adr/0010). */
const furtherNodeMebibytes = 100;

/** The datastore sets 128 MiB aside for its log, and images and logs come on top. */
export const leastDiskBytes = 192 * mebibyte;

/** No release is older: before this the clock has not been set. */
export const earliestTime = Date.UTC(2026, 0, 1);

export interface ResourceRequest {
  /** The cluster's directory, which is there. */
  directory: string;
  mode: ClusterMode;
  nodes: number;
  facts: Facts | null;
  plan: Plan;
  /** When the cluster was made, RFC 3339; null for a new one. */
  createdAt: string | null;
}

/**
 * Checks before anything is started that the sandbox has what a cluster needs in any case. Throws
 * E_CLOCK, E_MEMORY or E_DATA_DIRECTORY.
 */
export async function checkResources(request: ResourceRequest): Promise<void> {
  const { directory, mode, nodes, facts, plan, createdAt } = request;
  checkClock(Date.now(), createdAt);
  checkMemory(facts?.system.memoryAvailableBytes ?? freemem(), mode, nodes);
  checkDisk(await fs.statfs(directory), directory);
  const keepsContainersOnDisk = !plan.adaptations.some(({ id }) => id === "snapshots-on-tmpfs");
  if (mode !== "control-plane" && keepsContainersOnDisk) await checkExecution(directory);
}

/** Certificates are valid from the time at which they are made, so that a clock far off breaks all. */
export function checkClock(now: number, createdAt: string | null): void {
  const time = new Date(now).toISOString();
  if (now < earliestTime) {
    throw new SandkubeError("E_CLOCK", `the clock says ${time}, which can not be`, {
      hint: "Set the clock: certificates and downloads are checked by it.",
      details: { time },
    });
  }
  if (createdAt === null || now > Date.parse(createdAt) - dayMs) return;
  throw new SandkubeError(
    "E_CLOCK",
    `the clock says ${time}, but the cluster was made at ${createdAt}: its certificates are not valid yet`,
    {
      hint: "Set the clock, or make the cluster anew after `sandkube delete`.",
      details: { time, createdAt },
    },
  );
}

/** Compares the memory that is available, 0 where the sandbox does not tell, with what a mode needs. */
export function checkMemory(availableBytes: number, mode: ClusterMode, nodes = 1): void {
  const least = leastMemoryBytes(mode, nodes);
  if (availableBytes === 0 || availableBytes >= least) return;
  const hasNode = mode !== "control-plane";
  const withNodes = nodes === 1 ? "a cluster with a node" : `a cluster with ${nodes} nodes`;
  const what = hasNode ? withNodes : "a control plane";
  throw new SandkubeError(
    "E_MEMORY",
    `only ${mebibytes(availableBytes)} of memory are available, and ${what} needs ${mebibytes(least)} at the least`,
    {
      hint: hasNode
        ? "End other programs, give the sandbox more memory, or use --control-plane, which needs less."
        : "End other programs or give the sandbox more memory.",
      details: { availableBytes, neededBytes: least },
    },
  );
}

/** Compares the free space of a file system, which reports no size where it does not know. */
export function checkDisk(
  { bavail, bsize, blocks }: { bavail: number; bsize: number; blocks: number },
  directory: string,
): void {
  const freeBytes = bavail * bsize;
  if (blocks === 0 || freeBytes >= leastDiskBytes) return;
  throw new SandkubeError(
    "E_DATA_DIRECTORY",
    `only ${mebibytes(freeBytes)} are free where ${directory} lies, and a cluster needs ${mebibytes(leastDiskBytes)} at the least`,
    {
      hint: "Free some, or choose another place with --data or SANDKUBE_DATA.",
      details: { directory, freeBytes, neededBytes: leastDiskBytes },
    },
  );
}

/** Containers' programs lie in the data directory: tries whether it lets anything be executed. */
async function checkExecution(directory: string): Promise<void> {
  const probe = join(directory, `.execute-${randomBytes(4).toString("hex")}`);
  try {
    await fs.writeFile(probe, "#!/bin/sh\n", { mode: 0o700 });
    if (await isExecutable(probe)) return;
  } finally {
    await fs.rm(probe, { force: true });
  }
  throw new SandkubeError(
    "E_DATA_DIRECTORY",
    `nothing can be executed where ${directory} lies: its file system is mounted noexec`,
    {
      hint: "Choose another place with --data or SANDKUBE_DATA.",
      details: { directory },
    },
  );
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / mebibyte)} MiB`;
}
