import { z } from "zod";
import { SandkubeError } from "../errors.js";
import { readFileIfExists, writeJsonAtomically } from "../platform/files.js";
import { nodeSpecSchema, type NodeSpec } from "../plan/node-spec.js";
import { appliedAdaptationSchema, type AppliedAdaptation, type Plan } from "../plan/plan.js";
import type { Facts } from "../sandbox/facts.js";
import type { ClusterPaths } from "../state/cluster-paths.js";

const planSchema = z.strictObject({
  schema: z.literal(1),
  adaptations: z.array(appliedAdaptationSchema),
});

/**
 * Writes what was found, if the sandbox was probed, and decided; the supervisor reads the node spec,
 * people the rest.
 */
export async function writePlan(
  paths: ClusterPaths,
  facts: Facts | null,
  plan: Plan,
): Promise<void> {
  if (facts !== null) await writeJsonAtomically(paths.facts, facts);
  await writeJsonAtomically(paths.plan, { schema: 1, adaptations: plan.adaptations });
  await writeJsonAtomically(paths.nodeSpec, plan.spec);
}

/** The node spec that a cluster was last started from. Throws E_STATE when it is missing or unreadable. */
export async function readNodeSpec(paths: ClusterPaths): Promise<NodeSpec> {
  return await readDocument(paths.nodeSpec, nodeSpecSchema);
}

/** The adaptations that a cluster was last started with. Throws E_STATE when they are missing or unreadable. */
export async function readAdaptations(paths: ClusterPaths): Promise<AppliedAdaptation[]> {
  return (await readDocument(paths.plan, planSchema)).adaptations;
}

async function readDocument<T>(file: string, schema: z.ZodType<T>): Promise<T> {
  const text = await readFileIfExists(file);
  try {
    if (text === null) throw new Error("the file is missing");
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw new SandkubeError("E_STATE", `${file} is unreadable: ${reason}`, {
      hint: "`sandkube down` and `sandkube up` write it again.",
      details: { file },
      cause,
    });
  }
}
