import { z } from "zod";

/** The processes of a cluster, as the supervisor names them. */
export const roleNames = [
  "supervisor",
  "control-plane",
  "node-init",
  "containerd",
  "network",
  "node",
] as const;

export type RoleName = (typeof roleNames)[number];

const role = z.enum(roleNames);
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
    message: z.string().optional(),
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

/** A step of an operation, such as `probe`, has begun. `step` is a stable kebab-case name. */
export interface StepStartedEvent {
  type: "step-started";
  step: string;
  /** What is being done, for people. */
  title: string;
}

export interface StepFinishedEvent {
  type: "step-finished";
  step: string;
  durationMs: number;
  /** What came of it, for people, such as "6 adaptations". */
  result?: string;
}

export interface StepFailedEvent {
  type: "step-failed";
  step: string;
  durationMs: number;
  message: string;
}

export interface ModeChosenEvent {
  type: "mode-chosen";
  mode: ClusterMode;
  reason: string;
}

export interface AdaptationAppliedEvent {
  type: "adaptation-applied";
  id: string;
  title: string;
  effect: string;
  /** What the user can not do because of it; null when nothing is lost. */
  loses: string | null;
}

/** An event of the supervisor, passed on. */
export interface RuntimeEvent {
  type: "runtime";
  event: SupervisorEvent;
}

/** A service has become ready for the first time. */
export interface ServiceReadyEvent {
  type: "service-ready";
  role: RoleName;
  service: string;
  elapsedMs: number;
}

/** An operation still waits; emitted about once a second. */
export interface WaitingEvent {
  type: "waiting";
  /** What is awaited, for people, such as "the node to be Ready". */
  for: string;
  elapsedMs: number;
}

export interface ImageLoadedEvent {
  type: "image-loaded";
  reference: string;
}

/** How far the reading, unpacking, writing or pulling of images is; a few times a second. */
export interface ImageProgressEvent {
  type: "image-progress";
  phase: "reading" | "unpacking" | "writing" | "pulling";
  bytes: number;
  /** Absent when not known, as for standard input. */
  totalBytes?: number | undefined;
  /** The image's name, once it is known. */
  image?: string | undefined;
  /** The layer that is being unpacked, from 1, of so many. */
  layer?: number | undefined;
  layers?: number | undefined;
}

export interface WarningEvent {
  type: "warning";
  message: string;
  hint?: string;
}

/** What the library tells while an operation runs. */
export type ProgressEvent =
  | StepStartedEvent
  | StepFinishedEvent
  | StepFailedEvent
  | ModeChosenEvent
  | AdaptationAppliedEvent
  | RuntimeEvent
  | ServiceReadyEvent
  | WaitingEvent
  | ImageLoadedEvent
  | ImageProgressEvent
  | WarningEvent;

/** Receives progress events in order; it may not throw. */
export type ProgressListener = (event: ProgressEvent) => void;
