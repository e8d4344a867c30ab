import { z } from "zod";

const nodeSchema = z.object({
  spec: z
    .object({ taints: z.array(z.object({ key: z.string() })).default([]) })
    .default({ taints: [] }),
  status: z
    .object({
      conditions: z
        .array(
          z.object({
            type: z.string(),
            status: z.string(),
            message: z.string().optional(),
          }),
        )
        .default([]),
    })
    .default({ conditions: [] }),
});

/** The taint that keeps pods away from a node that is not Ready. */
const notReadyTaint = "node.kubernetes.io/not-ready";

/** Why a Node object is not Ready, for people; null when it is. `node` is the object or null. */
export function reasonNodeNotReady(node: unknown): string | null {
  if (node === null) return "the node has not registered";
  const { conditions } = nodeSchema.parse(node).status;
  const ready = conditions.find((condition) => condition.type === "Ready");
  if (ready?.status === "True") return null;
  return ready?.message ?? "the node has not reported its condition";
}

/** Whether the scheduler still keeps pods away from a node because it was not Ready. */
export function hasNotReadyTaint(node: unknown): boolean {
  return nodeSchema.parse(node).spec.taints.some((taint) => taint.key === notReadyTaint);
}
