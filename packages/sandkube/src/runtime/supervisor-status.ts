import { z } from "zod";
import { roleNameSchema } from "../events.js";

const serviceStatusSchema = z.object({
  state: z.enum(["starting", "ready", "failed"]),
  /** Milliseconds from the service's start to this state. */
  elapsedMs: z.number().nonnegative().optional(),
  message: z.string().optional(),
  /** What the service could not do though it goes on. */
  problems: z.array(z.string()).optional(),
});

const lastExitSchema = z.object({
  exitCode: z.number().int().optional(),
  signal: z.string().optional(),
  /** The part that ended the role, named from its last output. */
  service: z.string().optional(),
  message: z.string().optional(),
  time: z.string().optional(),
});

const roleStatusSchema = z.object({
  role: roleNameSchema,
  state: z.string().describe("running, backing-off or stopped"),
  pid: z.number().int().optional(),
  ready: z.boolean(),
  restarts: z.number().int().nonnegative(),
  services: z
    .record(z.string(), serviceStatusSchema)
    .nullish()
    .transform((services) => services ?? {}),
  lastExit: lastExitSchema.nullish().transform((exit) => exit ?? null),
});

/** The supervisor's answer to `status`. Unknown fields are dropped. */
export const supervisorStatusSchema = z.object({
  version: z.string(),
  pid: z.number().int(),
  startedAt: z.string(),
  stopping: z.boolean(),
  roles: z
    .array(roleStatusSchema)
    .nullish()
    .transform((roles) => roles ?? []),
});

export type RoleStatus = z.infer<typeof roleStatusSchema>;
export type SupervisorStatus = z.infer<typeof supervisorStatusSchema>;
