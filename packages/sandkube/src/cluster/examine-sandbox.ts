import { probe } from "../boot/probe.js";
import { parseClusterOptions } from "../config/cluster-options.js";
import { reportEgress } from "../egress/egress-report.js";
import { baseNodeSpec } from "../plan/node-spec.js";
import { planNode } from "../plan/plan.js";
import { examine, type DoctorReport } from "../sandbox/doctor.js";
import type { Facts } from "../sandbox/facts.js";
import { chooseMode } from "../sandbox/modes.js";
import { clusterPaths } from "../state/cluster-paths.js";
import { surroundingsOf, type SurroundingsOptions } from "./surroundings.js";

export interface ExamineOptions extends SurroundingsOptions {
  signal?: AbortSignal | undefined;
}

/** Tries what this sandbox allows; nothing is left behind or changed. */
export async function probeSandbox(options: ExamineOptions = {}): Promise<Facts> {
  const { dataDirectory, locate } = surroundingsOf(options);
  return await probe(await locate(), dataDirectory, options.signal);
}

/** The report, and the facts that it rests on. */
export interface SandboxExamination {
  report: DoctorReport;
  facts: Facts;
}

/**
 * Probes this sandbox and says which modes it allows, what `up` would adapt in the
 * richest of them, and what is lost by that.
 */
export async function doctor(options: ExamineOptions = {}): Promise<SandboxExamination> {
  const { dataDirectory, clusterName, locate } = surroundingsOf(options);
  const programs = await locate();
  const facts = await probe(programs, dataDirectory, options.signal);
  const base = baseNodeSpec(
    parseClusterOptions({ name: clusterName, dataDirectory }),
    {
      clusterDirectory: clusterPaths(dataDirectory, clusterName).directory,
      programs: programs.directory,
    },
    chooseMode("auto", facts),
    facts.system,
  );
  const egress = await reportEgress(process.env, facts.system.defaultRouteDevice !== null);
  return { report: examine(facts, planNode(facts, base).adaptations, egress), facts };
}
