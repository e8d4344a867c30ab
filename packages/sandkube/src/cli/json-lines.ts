import { z } from "zod";
import {
  clusterModes,
  errorCodes,
  progressEventSchemas,
  type ErrorCode,
  type ProgressEvent,
} from "../index.js";

// The commands import types of this file only: to read its schemas takes as long as a short command.

const type = z.literal("result");
const timingMs = z.number().nonnegative();
const onlyWithNode = timingMs.nullable();

const upResult = z
  .object({
    type,
    command: z.literal("up"),
    name: z.string(),
    mode: z.enum(clusterModes),
    kubeconfigPath: z.string(),
    server: z.string().describe("URL of the API server"),
    created: z.boolean().describe("there was no cluster of the name before"),
    wasRunning: z.boolean().describe("it ran before"),
    timings: z
      .object({
        apiReadyMs: timingMs,
        nodeReadyMs: onlyWithNode,
        schedulableMs: timingMs,
        dnsReadyMs: onlyWithNode,
      })
      .describe("since the start of the command; null without a node"),
    adaptations: z.array(
      z.object({ id: z.string(), title: z.string(), loses: z.string().nullable() }),
    ),
  })
  .describe("the cluster is up");

const downResult = z
  .object({ type, command: z.literal("down"), wasRunning: z.boolean() })
  .describe("the cluster is stopped");

const deleteResult = z
  .object({ type, command: z.literal("delete"), deleted: z.number().int().nonnegative() })
  .describe("so many clusters are gone");

const pullResult = z
  .object({
    type,
    command: z.literal("image pull"),
    name: z.string().describe("the full reference by which pods name it"),
    digest: z.string(),
    sizeBytes: z.number().nonnegative().describe("as it is in the registry"),
  })
  .describe("an image is there; one line for each");

const registryResult = z
  .object({ type, command: z.literal("doctor --registry"), reference: z.string() })
  .describe("the image can be pulled");

const errorLine = z
  .object({
    type: z.literal("error"),
    error: z.object({
      code: z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]),
      message: z.string(),
      hint: z.string().optional().describe("what to do about it"),
      details: z.record(z.string(), z.unknown()).describe("facts for programs, by the code"),
      exitCode: z.number().int(),
    }),
  })
  .describe("the command has failed: errors.md");

const sinceStartMs = z
  .number()
  .int()
  .nonnegative()
  .describe("milliseconds since the operation's start");

const [first, ...others] = progressEventSchemas;

/** What comes of a command, by the command. */
export const resultSchema = z.discriminatedUnion("command", [
  upResult,
  downResult,
  deleteResult,
  pullResult,
  registryResult,
]);

/** One line of what `up`, `down`, `delete` and `image pull` print with `--json`. */
export const jsonLineSchema = z.discriminatedUnion("type", [
  first.extend({ sinceStartMs }).describe(first.description ?? ""),
  ...others.map((event) => event.extend({ sinceStartMs }).describe(event.description ?? "")),
  resultSchema,
  errorLine,
]);

export type ResultLine = z.infer<typeof resultSchema>;
export type ErrorLine = z.infer<typeof errorLine>;
export type JsonLine = (ProgressEvent & { sinceStartMs: number }) | ResultLine | ErrorLine;
