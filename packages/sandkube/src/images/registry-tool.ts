import { Readable } from "node:stream";
import { z } from "zod";
import { SandkubeError } from "../errors.js";
import { runLineCommand } from "../platform/line-command.js";
import type { Programs } from "../runtime/locate-programs.js";
import { registryError, registryFaultSchema } from "./registry-fault.js";

/** An account at a registry. An identity token is a secret without a user. */
export interface RegistryAccount {
  username: string;
  secret: string;
}

/** What the runtime is told about a pull, or a trial of one. */
export interface RegistryRequest {
  reference: string;
  platform: string;
  insecure: boolean;
  account: RegistryAccount | null;
  /** The most bytes that a layer may have unpacked; 0: what real ones have. */
  unpackLimitBytes: number;
  socket: string;
  snapshotter: string;
  hostsDirectory: string;
  accountsDirectory: string;
}

export interface RegistryToolOptions {
  timeoutMs: number;
  environment: NodeJS.ProcessEnv;
  signal?: AbortSignal | undefined;
  /** What could not be done, for messages, such as "hello:1 can not be pulled". */
  failure: string;
  /** Receives each line that is neither a failure nor the result. */
  onLine: (line: unknown) => void;
}

const lineSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("failure"), faults: z.array(registryFaultSchema) }),
  z.object({ type: z.literal("invalid"), message: z.string() }),
  z.object({ type: z.literal("no-platform"), platform: z.string() }),
  z.object({ type: z.literal("too-large"), message: z.string() }),
  z.object({ type: z.literal("no-space"), message: z.string() }),
  z.object({ type: z.literal("result"), result: z.unknown() }),
]);

const ownLines = new Set<unknown>(lineSchema.options.map(({ shape }) => shape.type.value));

/**
 * Lets the program that holds containerd's registry client do something, and returns its result.
 * Throws a code that tells the cause: E_REGISTRY*, E_EGRESS_REFUSED, E_TLS_UNTRUSTED,
 * E_IMAGE_PLATFORM, E_IMAGE_INVALID, E_IMAGE_SPACE, E_USAGE for what is no reference, E_IMAGE else.
 */
export async function runRegistryTool(
  programs: Programs,
  verb: "pull" | "check",
  request: RegistryRequest,
  options: RegistryToolOptions,
): Promise<unknown> {
  const { timeoutMs, environment, signal } = options;
  const answers: z.infer<typeof lineSchema>[] = [];
  const ended = await runLineCommand(programs.path("sandkube-containerd"), ["registry", verb], {
    timeoutMs,
    signal,
    environment,
    // The request may hold a password, which nobody may see in the list of processes.
    stdin: Readable.from([JSON.stringify(request)]),
    onLine(text) {
      const line = JSON.parse(text) as { type?: unknown };
      if (ownLines.has(line.type)) answers.push(lineSchema.parse(line));
      else options.onLine(line);
    },
  });
  const answer = answers.at(-1);
  switch (answer?.type) {
    case "result":
      return answer.result;
    case "failure":
      throw registryError(request.reference, answer.faults);
    case "invalid":
      throw new SandkubeError("E_USAGE", answer.message);
    case "too-large":
      throw new SandkubeError("E_IMAGE_INVALID", answer.message, {
        hint: "If you trust the image, --unpack-limit SIZE allows each of its layers so much.",
      });
    case "no-space":
      throw new SandkubeError("E_IMAGE_SPACE", answer.message, {
        hint: "`sandkube image prune --all` removes the images that no pod uses.",
      });
    case "no-platform":
      throw new SandkubeError(
        "E_IMAGE_PLATFORM",
        `${request.reference} has no image for ${answer.platform}`,
        { hint: "Choose a platform that it has with --platform." },
      );
  }
  const reason = ended.timedOut
    ? `not done within ${Math.round(timeoutMs / 60_000)} minutes`
    : (ended.errorLines.at(-1) ?? "").replace(/^registry: /, "");
  throw new SandkubeError("E_IMAGE", `${options.failure}: ${reason}`, {
    details: { output: ended.errorLines },
  });
}
