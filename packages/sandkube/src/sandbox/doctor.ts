import type { AppliedAdaptation } from "../plan/plan.js";
import type { EgressReport } from "../egress/egress-report.js";
import { snapshotStorage, type SnapshotStorage } from "../plan/snapshot-storage.js";
import { factIds, factOf, type Facts, type FactState, type System } from "./facts.js";
import { modesOf, type ModeReport } from "./modes.js";

const gibibyte = 1024 ** 3;

/** Measured use of a cluster with a node and two small pods is about half of this. */
const comfortableMemoryBytes = 1 * gibibyte;
/** Below this the kubelet's default eviction threshold is near once a few images are there. */
const comfortableDiskBytes = 3 * gibibyte;

export interface DoctorReport {
  sandbox: System;
  /** How many facts are in each state. */
  factCounts: Record<FactState, number>;
  modes: ModeReport[];
  /** Where a node would keep unpacked images; null where there can be none. */
  unpackedImages: SnapshotStorage | null;
  adaptations: AppliedAdaptation[];
  /** What the user can not have, adaptation by adaptation. */
  losses: { adaptation: string; loses: string }[];
  egress: EgressReport;
  warnings: string[];
}

/** What a person wants to know before `up`: what the sandbox allows, what is adapted, what is lost. */
export function examine(
  facts: Facts,
  adaptations: readonly AppliedAdaptation[],
  egress: EgressReport,
): DoctorReport {
  const factCounts: Record<FactState, number> = { yes: 0, no: 0, timeout: 0, crash: 0, skipped: 0 };
  for (const id of factIds) factCounts[factOf(facts, id).state] += 1;
  const modes = modesOf(facts);
  const hasNode = modes.some(({ mode, allowed }) => allowed && mode !== "control-plane");
  return {
    sandbox: facts.system,
    factCounts,
    modes,
    unpackedImages: hasNode ? snapshotStorage(facts) : null,
    adaptations: [...adaptations],
    losses: adaptations.flatMap(({ id, loses }) =>
      loses === null ? [] : [{ adaptation: id, loses }],
    ),
    egress,
    warnings: [...warningsOf(facts), ...egress.warnings],
  };
}

/** Whether an amount is known and too little; the probe reports 0 where the sandbox does not tell. */
function isShort(bytes: number, comfortableBytes: number): boolean {
  return bytes > 0 && bytes < comfortableBytes;
}

function warningsOf(facts: Facts): string[] {
  const { memoryAvailableBytes, dataFreeBytes } = facts.system;
  const warnings: string[] = [];
  if (isShort(memoryAvailableBytes, comfortableMemoryBytes)) {
    warnings.push(
      `Only ${gib(memoryAvailableBytes)} of memory are available; a node takes about 0.5 GiB.`,
    );
  }
  if (isShort(dataFreeBytes, comfortableDiskBytes)) {
    warnings.push(
      `Only ${gib(dataFreeBytes)} are free in the data directory; the kubelet may evict pods when it fills.`,
    );
  }
  for (const id of factIds) {
    const { state } = factOf(facts, id);
    if (state === "timeout") warnings.push(`Trying ${id} hung; it is treated as not working.`);
    if (state === "crash") warnings.push(`Trying ${id} crashed; it is treated as not working.`);
  }
  return warnings;
}

function gib(bytes: number): string {
  return `${(bytes / gibibyte).toFixed(1)} GiB`;
}
