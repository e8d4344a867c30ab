import { z } from "zod";
import type { Facts } from "../sandbox/facts.js";
import { adaptationIds } from "./adaptation.js";
import { adaptations } from "./adaptations/index.js";
import { evidenceSchema } from "./evidence.js";
import type { NodeSpec } from "./node-spec.js";

/** An adaptation that a plan makes, as text and evidence; part of plan.json. */
export const appliedAdaptationSchema = z.strictObject({
  id: z.enum(adaptationIds),
  title: z.string(),
  reason: z.string(),
  evidence: z.array(evidenceSchema).min(1),
  effect: z.string(),
  loses: z.string().nullable(),
  upstream: z.array(z.string()),
});

export type AppliedAdaptation = z.infer<typeof appliedAdaptationSchema>;

/** A node spec, and what in it deviates from a full kernel's, with the reasons. */
export interface Plan {
  adaptations: AppliedAdaptation[];
  spec: NodeSpec;
}

/**
 * Adapts a node spec to the sandbox that the facts describe. Pure: the same facts and
 * base give the same plan. A spec without a node needs no adaptation.
 */
export function planNode(facts: Facts, base: NodeSpec): Plan {
  if (base.node === null) return { adaptations: [], spec: base };
  let node = base.node;
  const applied: AppliedAdaptation[] = [];
  for (const adaptation of adaptations) {
    const evidence = adaptation.applies(facts, node);
    if (evidence === null) continue;
    node = adaptation.apply(node, facts);
    const { id, title, reason, effect, loses, upstream } = adaptation;
    applied.push({ id, title, reason, evidence, effect, loses, upstream: [...upstream] });
  }
  return { adaptations: applied, spec: { ...base, node } };
}
