import type { ClusterOptions } from "../config/cluster-options.js";
import type { ClusterMode, ProgressListener } from "../events.js";
import { baseNodeSpec } from "../plan/node-spec.js";
import { planNode, type Plan } from "../plan/plan.js";
import type { Programs } from "../runtime/locate-programs.js";
import { chooseMode } from "../sandbox/modes.js";
import type { ClusterPaths } from "../state/cluster-paths.js";
import { checkPorts } from "./check-ports.js";
import { attachedNetworks, checkRanges } from "./check-ranges.js";
import { probe } from "./probe.js";
import type { StepRunner } from "./step.js";
import { writePlan } from "./stored-plan.js";

export interface PrepareRequest {
  options: ClusterOptions;
  paths: ClusterPaths;
  programs: Programs;
  signal: AbortSignal;
  emit: ProgressListener;
  step: StepRunner;
}

/** A cluster that is ready to be started. */
export interface Prepared {
  mode: ClusterMode;
  plan: Plan;
}

/**
 * Probes the sandbox, decides how the cluster runs in it, checks that it can, and writes
 * the node spec. Nothing outside the cluster's directory is changed.
 */
export async function prepare(request: PrepareRequest): Promise<Prepared> {
  const { options, paths, programs, signal, emit, step } = request;
  const facts = await step({
    name: "probe",
    title: "Probing the sandbox",
    run: () => probe(programs, paths.directory, signal),
    result: ({ facts }) => `${Object.keys(facts).length} facts`,
  });
  const mode = await step({
    name: "mode",
    title: "Choosing the mode",
    run: async () => chooseMode(options.mode, facts),
    result: (chosen) => chosen,
  });
  const reason = options.mode === "auto" ? "the richest that this sandbox allows" : "as asked";
  emit({ type: "mode-chosen", mode, reason });
  const plan = await step({
    name: "plan",
    title: "Planning",
    run: async () => {
      const surroundings = { mode, uplinkMtu: facts.system.defaultRouteMtu };
      const specPaths = { clusterDirectory: paths.directory, programs: programs.directory };
      return planNode(facts, baseNodeSpec(options, specPaths, surroundings));
    },
    result: ({ adaptations }) => `${adaptations.length} adaptations`,
  });
  for (const { id, title, effect, loses } of plan.adaptations) {
    emit({ type: "adaptation-applied", id, title, effect, loses });
  }
  await step({
    name: "network",
    title: "Checking ports and ranges",
    run: async () => {
      await checkPorts(options, mode);
      if (mode === "full") checkRanges(options, attachedNetworks());
    },
  });
  await writePlan(paths, facts, plan);
  return { mode, plan };
}
