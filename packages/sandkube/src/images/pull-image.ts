import { z } from "zod";
import type { ImageStore, ImageToolOptions } from "./image-tool.js";
import { runRegistryTool, type RegistryAccount } from "./registry-tool.js";

const pullTimeoutMs = 60 * 60_000;

const pulledSchema = z.object({ name: z.string(), digest: z.string(), sizeBytes: z.number() });

/** An image that has been pulled. */
export interface PulledImage {
  /** The full reference by which pods name it. */
  name: string;
  digest: string;
  /** Bytes of its layers and documents, as they are in the registry. */
  sizeBytes: number;
}

export interface PullImageOptions extends Pick<
  ImageToolOptions,
  "signal" | "onProgress" | "unpackLimitBytes"
> {
  /** OS/ARCHITECTURE[/VARIANT]; by default this machine's. */
  platform?: string | undefined;
  /** Accept any certificate, and HTTP where there is no TLS. */
  insecure?: boolean | undefined;
  /** By default those of registries.yaml and of docker's config.json are used. */
  account?: RegistryAccount | undefined;
}

const lineSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("progress"),
    progress: z.object({ doneBytes: z.number(), totalBytes: z.number() }),
  }),
  z.object({
    type: z.literal("retry"),
    retry: z.object({ because: z.string(), delayMs: z.number() }),
  }),
]);

/**
 * Pulls an image into a node and unpacks it, by the mirrors, certificates and proxies that the
 * kubelet's pulls use. Throws as {@link runRegistryTool} does.
 */
export async function pullImage(
  { programs, paths, snapshotter, node }: ImageStore,
  reference: string,
  options: PullImageOptions & { environment: NodeJS.ProcessEnv },
): Promise<PulledImage> {
  const { platform = "", insecure = false, account = null, onProgress } = options;
  const { unpackLimitBytes = 0 } = options;
  const request = {
    ...{ reference, platform, insecure, account, snapshotter, unpackLimitBytes },
    socket: paths.containerdSocket(node),
    hostsDirectory: paths.registryHosts,
    accountsFile: paths.registryAccounts,
  };
  const result = await runRegistryTool(programs, "pull", request, {
    timeoutMs: pullTimeoutMs,
    environment: options.environment,
    signal: options.signal,
    failure: `${reference} can not be pulled`,
    onLine(value) {
      const line = lineSchema.parse(value);
      if (line.type === "progress") {
        const { doneBytes: bytes, totalBytes } = line.progress;
        onProgress?.({
          type: "image-progress",
          phase: "pulling",
          image: reference,
          bytes,
          totalBytes,
        });
      } else {
        const { because, delayMs } = line.retry;
        const message = `${because}; trying again in ${delayMs / 1_000} s`;
        onProgress?.({ type: "warning", message });
      }
    },
  });
  return pulledSchema.parse(result);
}
