import { z } from "zod";
import {
  factIds,
  factOf,
  factStateSchema,
  works,
  type FactId,
  type Facts,
} from "../sandbox/facts.js";

/** One observation that a decision rests on; system facts, memory and disk, have the state "yes". */
export const evidenceSchema = z.strictObject({
  fact: z.union([z.enum(factIds), z.enum(["system.memoryAvailableBytes", "system.dataFreeBytes"])]),
  state: factStateSchema,
  errno: z.string().optional(),
  value: z.string().optional(),
});

export type Evidence = z.infer<typeof evidenceSchema>;

/** The facts as evidence, in the order given. */
export function evidenceOf(facts: Facts, ids: readonly FactId[]): Evidence[] {
  return ids.map((id) => {
    const { state, errno, value } = factOf(facts, id);
    return {
      fact: id,
      state,
      ...(errno === undefined ? {} : { errno }),
      ...(value === undefined ? {} : { value }),
    };
  });
}

/** Evidence that one fact is not given, or null when it is. An untried fact is not relied upon. */
export function unlessWorks(facts: Facts, id: FactId): Evidence[] | null {
  return works(facts, id) ? null : evidenceOf(facts, [id]);
}

/** The memory that is available and the disk that is free, as evidence. */
export function roomEvidence(facts: Facts): Evidence[] {
  return (["memoryAvailableBytes", "dataFreeBytes"] as const).map((name) => ({
    fact: `system.${name}` as const,
    state: "yes",
    value: String(facts.system[name]),
  }));
}
