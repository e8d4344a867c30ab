import { z } from "zod";
import type { Programs } from "../runtime/locate-programs.js";
import { registryFaultSchema } from "./registry-fault.js";
import { runRegistryTool, type RegistryAccount } from "./registry-tool.js";

const checkTimeoutMs = 3 * 60_000;

const stepSchema = z.object({
  name: z.enum(["name-lookup", "connect", "tls", "ping", "token", "manifest", "blob"]),
  /** The registry or mirror that the way leads to. */
  host: z.string(),
  /** What was found, for people. */
  detail: z.string(),
  /** Absent for a step that succeeded. */
  fault: registryFaultSchema.optional(),
});

/** One step of the way to an image. */
export type RegistryStep = z.infer<typeof stepSchema>;

const lineSchema = z.object({ type: z.literal("step"), step: stepSchema });

export interface CheckRegistryOptions {
  insecure: boolean;
  account: RegistryAccount | null;
  hostsDirectory: string;
  accountsFile: string;
  /** With the proxies and the CA bundle of a cluster's roles. */
  environment: NodeJS.ProcessEnv;
  signal?: AbortSignal | undefined;
  onStep: (step: RegistryStep) => void;
}

/**
 * Goes the way to an image as a pull does, mirrors first, up to the first byte of a layer; pulls
 * nothing. Throws as {@link runRegistryTool} does when no host gives it.
 */
export async function checkRegistry(
  programs: Programs,
  reference: string,
  options: CheckRegistryOptions,
): Promise<void> {
  const { insecure, account, hostsDirectory, accountsFile } = options;
  await runRegistryTool(
    programs,
    "check",
    {
      ...{ reference, insecure, account, hostsDirectory, accountsFile },
      ...{ platform: "", socket: "", snapshotter: "", unpackLimitBytes: 0 },
    },
    {
      timeoutMs: checkTimeoutMs,
      environment: options.environment,
      signal: options.signal,
      failure: `${reference} can not be pulled`,
      onLine: (line) => options.onStep(lineSchema.parse(line).step),
    },
  );
}
