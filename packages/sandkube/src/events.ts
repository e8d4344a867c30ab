import { z } from "zod";
import { nodeNumbers } from "./node-names.js";

/** The roles that each node of a cluster has. */
export const nodeRoleKinds = ["node-init", "containerd", "node"] as const;

export type NodeRoleKind = (typeof nodeRoleKinds)[number];

/** The kinds of processes of a cluster; those of the first node are named so as well. */
export const roleKinds = [
  "supervisor",
  "control-plane",
  "network-init",
  "network",
  ...nodeRoleKinds,
] as const;

export type RoleKind = (typeof roleKinds)[number];

/** A process of a cluster, as the supervisor names it: those of the second node end in `-2`. */
export const roleNameSchema = z.union([
  z.enum(roleKinds),
  z.templateLiteral([z.enum(nodeRoleKinds), "-", z.int().min(2)]),
]);

export type RoleName = z.infer<typeof roleNameSchema>;

/** The name of a role of a cluster's nth node. */
export function nodeRoleName(kind: NodeRoleKind, node: number): RoleName {
  return node === 1 ? kind : `${kind}-${node}`;
}

/** The names of all roles that a cluster with so many nodes has. */
export function roleNamesOf(nodes: number): RoleName[] {
  const first = roleKinds.filter((kind) => kind !== "network-init" || nodes > 1);
  const further = nodeNumbers(nodes).slice(1);
  return [
    ...first,
    ...further.flatMap((node) => nodeRoleKinds.map((kind) => nodeRoleName(kind, node))),
  ];
}

const role = roleNameSchema;
const time = z.string().describe("RFC 3339 with nanoseconds; added by the supervisor");
const elapsedMs = z.number().nonnegative();

const helloEvent = z
  .object({ type: z.literal("hello"), time, role, program: z.string(), version: z.string() })
  .describe("a role's program has started and says what it is");

const serviceEvent = z
  .object({
    type: z.literal("service"),
    time,
    role,
    service: z.string(),
    state: z.enum(["starting", "ready", "failed"]),
    elapsedMs: elapsedMs.optional().describe("since the service's start"),
    message: z.string().optional().describe("what it is at, what it has done, or why it failed"),
    problems: z.array(z.string()).optional().describe("what it could not do though it goes on"),
  })
  .describe("a part of a role, such as the kubelet, has changed its state");

const readyEvent = z
  .object({ type: z.literal("ready"), time, role })
  .describe("all services of a role are ready");

const fatalEvent = z
  .object({
    type: z.literal("fatal"),
    time,
    role,
    service: z.string().optional(),
    message: z.string(),
  })
  .describe("a role is about to exit because of this");

const roleEvent = z
  .object({
    type: z.literal("role"),
    time,
    role,
    state: z.enum(["started", "exited", "backing-off", "stopped"]),
    pid: z.number().int().optional(),
    exitCode: z.number().int().optional(),
    signal: z.string().optional(),
    service: z
      .string()
      .optional()
      .describe("the part that ended the role, named from its last output"),
    message: z.string().optional().describe("the last meaningful line of the role's output"),
    restarts: z.number().int().nonnegative().optional(),
    delayMs: z.number().nonnegative().optional().describe("until the next start"),
    log: z.string().optional().describe("the role's log file"),
  })
  .describe("a role's process has changed its state");

const stoppingEvent = z
  .object({ type: z.literal("stopping"), time, role: role.optional() })
  .describe("the supervisor has begun to stop all roles");

const stoppedEvent = z
  .object({ type: z.literal("stopped"), time, role: role.optional() })
  .describe("all roles have ended; the supervisor's last event");

/**
 * One line of the supervisor's event stream. Unknown fields are dropped, so that a
 * newer runtime can add some.
 */
export const supervisorEventSchema = z.discriminatedUnion("type", [
  helloEvent,
  serviceEvent,
  readyEvent,
  fatalEvent,
  roleEvent,
  stoppingEvent,
  stoppedEvent,
]);

export type SupervisorEvent = z.infer<typeof supervisorEventSchema>;

/**
 * The modes in which a cluster runs, richest first.
 * `full`: a node whose pods have networks of their own; `host-network`: a node whose pods share its
 * network; `control-plane`: no node.
 */
export const clusterModes = ["full", "host-network", "control-plane"] as const;

export type ClusterMode = (typeof clusterModes)[number];

const step = z.string().describe("stable name of the step, in kebab-case");
const title = z.string().describe("for people");
const durationMs = z.number().nonnegative();

const stepStartedEvent = z
  .object({ type: z.literal("step-started"), step, title })
  .describe("a step of an operation, such as probe, has begun");

const stepFinishedEvent = z
  .object({
    type: z.literal("step-finished"),
    step,
    durationMs,
    result: z.string().optional().describe("for people, such as 6 adaptations"),
  })
  .describe("a step has done its work");

const stepFailedEvent = z
  .object({ type: z.literal("step-failed"), step, durationMs, message: z.string() })
  .describe("a step has failed, and with it the operation");

const modeChosenEvent = z
  .object({ type: z.literal("mode-chosen"), mode: z.enum(clusterModes), reason: z.string() })
  .describe("the mode in which the cluster will run");

const adaptationAppliedEvent = z
  .object({
    type: z.literal("adaptation-applied"),
    id: z.string(),
    title,
    effect: z.string(),
    loses: z
      .string()
      .nullable()
      .describe("what can not be done because of it; null when nothing is lost"),
  })
  .describe("the plan deviates from a node on a full kernel");

const runtimeEvent = z
  .object({ type: z.literal("runtime"), event: supervisorEventSchema })
  .describe("an event of the supervisor, passed on");

const serviceReadyEvent = z
  .object({
    type: z.literal("service-ready"),
    role,
    service: z.string(),
    elapsedMs: elapsedMs.describe("since the service's start"),
  })
  .describe("a service has become ready for the first time");

const waitingEvent = z
  .object({
    type: z.literal("waiting"),
    for: z.string().describe("for people, such as the node to be Ready"),
    elapsedMs,
  })
  .describe("the operation still waits; about once a second");

const imageLoadedEvent = z
  .object({ type: z.literal("image-loaded"), reference: z.string() })
  .describe("the node has an image more");

const imageProgressEvent = z
  .object({
    type: z.literal("image-progress"),
    phase: z.enum(["reading", "unpacking", "writing", "pulling"]),
    bytes: z.number().nonnegative(),
    totalBytes: z
      .number()
      .nonnegative()
      .optional()
      .describe("absent when not known, as for standard input"),
    image: z.string().optional().describe("the image's name, once it is known"),
    layer: z.number().int().optional().describe("the layer that is being unpacked, from 1"),
    layers: z.number().int().optional().describe("how many there are"),
  })
  .describe("how far work on images is; a few times a second");

const warningEvent = z
  .object({ type: z.literal("warning"), message: z.string(), hint: z.string().optional() })
  .describe("something that the user should know");

/** The kinds of {@link ProgressEvent}. */
export const progressEventSchemas = [
  stepStartedEvent,
  stepFinishedEvent,
  stepFailedEvent,
  modeChosenEvent,
  adaptationAppliedEvent,
  runtimeEvent,
  serviceReadyEvent,
  waitingEvent,
  imageLoadedEvent,
  imageProgressEvent,
  warningEvent,
] as const;

/** What the library tells while an operation runs. */
export type ProgressEvent = z.infer<(typeof progressEventSchemas)[number]>;

export type ImageProgressEvent = z.infer<typeof imageProgressEvent>;

/** Receives progress events in order; it may not throw. */
export type ProgressListener = (event: ProgressEvent) => void;
