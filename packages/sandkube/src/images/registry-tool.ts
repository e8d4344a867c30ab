import { Readable } from "node:stream";
import { z } from "zod";
import { SandkubeError } from "../errors.js";
import { runLineCommand } from "../platform/line-command.js";
import type { Programs } from "../runtime/locate-programs.js";
import { refusalError, refusalSchema } from "./refusal.js";

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
  accountsFile: string;
}

export interface RegistryToolOptions {
  timeoutMs: number;
  environment: NodeJS.ProcessEnv;
  signal?: AbortSignal | undefined;
  /** What could not be done, for messages, such as "hello:1 can not be pulled". */
  failure: string;
  /** Receives each line that is neither a refusal nor the result. */
  onLine: (line: unknown) => void;
}

const lineSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("refusal"), refusal: refusalSchema }),
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
  if (answer?.type === "result") return answer.result;
  if (answer?.type === "refusal") throw refusalError(answer.refusal, options.failure);
  const reason = ended.timedOut
    ? `not done within ${Math.round(timeoutMs / 60_000)} minutes`
    : (ended.errorLines.at(-1) ?? "").replace(/^registry: /, "");
  throw new SandkubeError("E_IMAGE", `${options.failure}: ${reason}`, {
    details: { output: ended.errorLines },
  });
}
