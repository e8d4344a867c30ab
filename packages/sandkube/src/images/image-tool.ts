import { z } from "zod";
import { SandkubeError } from "../errors.js";
import type { ImageProgressEvent, ProgressListener } from "../events.js";
import { runLineCommand } from "../platform/line-command.js";
import type { Programs } from "../runtime/locate-programs.js";
import type { ClusterPaths } from "../state/cluster-paths.js";
import type { Readable } from "node:stream";
import { refusalError, refusalSchema, type Refusal } from "./refusal.js";

/** The images of one cluster's node. */
export interface ImageStore {
  programs: Programs;
  paths: ClusterPaths;
  /** The snapshotter that the node uses. */
  snapshotter: string;
  /** The node's number. */
  node: number;
}

/** What work on archives alone needs. */
export type WithoutNode = Pick<ImageStore, "programs">;

export interface ImageToolOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ProgressListener | undefined;
  stdin?: "inherit" | Readable | undefined;
  /** Where an archive goes that is not for a file: a descriptor of this process. */
  archiveDescriptor?: number | undefined;
  /** The most bytes that a layer may have unpacked; left open: what real ones have. */
  unpackLimitBytes?: number | undefined;
  timeoutMs: number;
  /** What could not be done, for messages, such as "hello.tar can not be loaded". */
  failure: string;
}

const progressSchema = z.object({
  phase: z.enum(["reading", "unpacking", "writing"]),
  bytes: z.number().nonnegative(),
  totalBytes: z.number().nonnegative().optional(),
  image: z.string().optional(),
  layer: z.number().int().optional(),
  layers: z.number().int().optional(),
});

const lineSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("progress"), progress: progressSchema }),
  z.object({ type: z.literal("refusal"), refusal: refusalSchema }),
  z.object({ type: z.literal("result"), result: z.unknown() }),
]);

/**
 * Lets the program that holds containerd's client work on a node's images, and returns
 * its result. Throws one of the codes E_IMAGE_*, or E_IMAGE for what the user can do
 * nothing about.
 */
export async function runImageTool<T>(
  store: ImageStore | WithoutNode,
  args: readonly string[],
  resultSchema: z.ZodType<T>,
  options: ImageToolOptions,
): Promise<T> {
  let refusal: Refusal | null = null;
  let result: unknown;
  const command = [
    "images",
    ...("paths" in store
      ? ["--address", store.paths.containerdSocket(store.node), "--snapshotter", store.snapshotter]
      : []),
    ...(options.unpackLimitBytes === undefined
      ? []
      : ["--unpack-limit", String(options.unpackLimitBytes)]),
    ...args,
  ];
  const ended = await runLineCommand(store.programs.path("sandkube-containerd"), command, {
    timeoutMs: options.timeoutMs,
    signal: options.signal,
    stdin: options.stdin,
    extraOutput: options.archiveDescriptor,
    onLine(line) {
      const message = lineSchema.parse(JSON.parse(line));
      if (message.type === "refusal") refusal = message.refusal;
      else if (message.type === "result") result = message.result;
      else options.onProgress?.(progressEvent(message.progress));
    },
  });
  if (refusal !== null) throw refusalError(refusal, options.failure);
  if (ended.exitCode !== 0) {
    const reason = ended.timedOut
      ? `not done within ${Math.round(options.timeoutMs / 60_000)} minutes`
      : (ended.errorLines.at(-1) ?? "").replace(/^images: /, "");
    throw new SandkubeError("E_IMAGE", `${options.failure}: ${reason}`, {
      details: { output: ended.errorLines },
    });
  }
  return resultSchema.parse(result);
}

function progressEvent(progress: z.infer<typeof progressSchema>): ImageProgressEvent {
  return { type: "image-progress", ...progress };
}
