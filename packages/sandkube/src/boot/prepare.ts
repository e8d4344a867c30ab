import type { ClusterOptions } from "../config/cluster-options.js";
import type { Environment } from "../config/environment.js";
import { SandkubeError } from "../errors.js";
import type { ClusterMode, ProgressListener } from "../events.js";
import { baseNodeSpec } from "../plan/node-spec.js";
import { planNode, type Plan } from "../plan/plan.js";
import type { Programs } from "../runtime/locate-programs.js";
import { chooseMode } from "../sandbox/modes.js";
import type { ClusterPaths } from "../state/cluster-paths.js";
import { checkPorts } from "./check-ports.js";
import { checkResources } from "./check-resources.js";
import { attachedNetworks, checkRanges } from "./check-ranges.js";
import { prepareEgress } from "./egress.js";
import { chooseImagesDirectory } from "./images-directory.js";
import { probe } from "./probe.js";
import type { StepRunner } from "./step.js";
import { writePlan } from "./stored-plan.js";

export interface PrepareRequest {
  options: ClusterOptions;
  /** When an existing cluster was made, RFC 3339; null for a new one. */
  createdAt: string | null;
  paths: ClusterPaths;
  programs: Programs;
  /** The environment of the user who starts the cluster. */
  environment: Environment;
  signal: AbortSignal;
  emit: ProgressListener;
  step: StepRunner;
}

/** A cluster that is ready to be started. */
export interface Prepared {
  mode: ClusterMode;
  plan: Plan;
}

/** Several nodes need pods with networks of their own. Throws E_SANDBOX where these can not be had. */
function checkNodes(nodes: number, mode: ClusterMode): void {
  if (nodes === 1 || mode === "full") return;
  const what =
    mode === "host-network"
      ? "pods here share the sandbox's network, which only one node can have"
      : "this sandbox allows no node";
  throw new SandkubeError("E_SANDBOX", `${nodes} nodes can not run here: ${what}`, {
    hint: "Leave --nodes out; `sandkube doctor` says why pods have no networks of their own here.",
    details: { nodes, mode },
  });
}

/**
 * Decides how the cluster runs in the sandbox, checks that it can, and writes the node spec.
 * Nothing outside the cluster's directory is changed.
 */
export async function prepare(request: PrepareRequest): Promise<Prepared> {
  const { options, paths, programs, environment, signal, emit, step } = request;
  // What the sandbox allows matters to a node alone, and to try it all takes a while.
  const facts =
    options.mode === "control-plane"
      ? null
      : await step({
          name: "probe",
          title: "Probing the sandbox",
          run: () => probe(programs, paths.directory, signal),
          result: ({ facts }) => `${Object.keys(facts).length} facts`,
        });
  const mode = await step({
    name: "mode",
    title: "Choosing the mode",
    run: async () => {
      const chosen = facts === null ? "control-plane" : chooseMode(options.mode, facts);
      checkNodes(options.nodes, chosen);
      return chosen;
    },
    result: (chosen) => chosen,
  });
  const addresses = facts?.system.addresses ?? [];
  const reason = options.mode === "auto" ? "the richest that this sandbox allows" : "as asked";
  emit({ type: "mode-chosen", mode, reason });
  const wayOut = await step({
    name: "egress",
    title: "Looking for the way out of the sandbox",
    run: () =>
      prepareEgress({ options, mode, addresses, paths, programs, environment, emit, signal }),
    result: ({ roleEnvironment }) =>
      "NO_PROXY" in roleEnvironment ? "through a proxy" : "no proxy",
  });
  const imagesDirectory =
    mode === "control-plane" ? undefined : await chooseImagesDirectory(options, paths);
  const plan = await step({
    name: "plan",
    title: "Planning",
    run: async () => {
      const specPaths = { clusterDirectory: paths.directory, programs: programs.directory };
      const surroundings = { addresses, wayOut, imagesDirectory };
      const base = baseNodeSpec(options, specPaths, mode, surroundings);
      return facts === null ? { adaptations: [], spec: base } : planNode(facts, base);
    },
    result: ({ adaptations }) => `${adaptations.length} adaptations`,
  });
  for (const { id, title, effect, loses } of plan.adaptations) {
    emit({ type: "adaptation-applied", id, title, effect, loses });
  }
  await step({
    name: "resources",
    title: "Checking memory, disk and clock",
    run: () =>
      checkResources({
        directory: paths.directory,
        mode,
        nodes: options.nodes,
        facts,
        plan,
        createdAt: request.createdAt,
      }),
  });
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
