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
            lastHeartbeatTime: z.string().optional(),
          }),
        )
        .default([]),
    })
    .default({ conditions: [] }),
});

/** The taint that keeps pods away from a node that is not Ready. */
const notReadyTaint = "node.kubernetes.io/not-ready";

/**
 * Why a Node object is not Ready, for people; null when it is. `node` is the object or null.
 * What the kubelet of an earlier run has reported, before `since` (milliseconds since the
 * epoch), does not count: the object outlives it.
 */
export function reasonNodeNotReady(node: unknown, since: number): string | null {
  if (node === null) return "the node has not registered";
  const { conditions } = nodeSchema.parse(node).status;
  const ready = conditions.find((condition) => condition.type === "Ready");
  if (ready === undefined) return "the node has not reported its condition";
  const reportedAt = Date.parse(ready.lastHeartbeatTime ?? "");
  if (!(reportedAt > since)) return "the node has not reported since it was started";
  return ready.status === "True" ? null : (ready.message ?? `Ready is ${ready.status}`);
}

/** Whether the scheduler still keeps pods away from a node because it was not Ready. */
export function hasNotReadyTaint(node: unknown): boolean {
  return nodeSchema.parse(node).spec.taints.some((taint) => taint.key === notReadyTaint);
}
