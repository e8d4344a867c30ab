import { z } from "zod";
import { clusterNamePattern, type ClusterOptions } from "../config/cluster-options.js";
import { maxNodes } from "../node-names.js";
import { SandkubeError } from "../errors.js";
import { clusterModes } from "../events.js";
import { readFileIfExists, writeJsonAtomically } from "../platform/files.js";
import type { ClusterPaths } from "./cluster-paths.js";

const port = z.number().int().min(1).max(65535);

const clusterRecordSchema = z.strictObject({
  schema: z.literal(1),
  name: z.string().regex(clusterNamePattern),
  /** The version of sandkube that made the cluster. */
  version: z.string(),
  createdAt: z.iso.datetime(),
  /** When `up` first reached its end; null while it has not. */
  completedAt: z.iso.datetime().nullable(),
  settings: z.strictObject({
    mode: z.enum(clusterModes),
    nodes: z.number().int().min(1).max(maxNodes).default(1),
    apiPort: port,
    bindAddress: z.ipv4(),
    kubeletPort: port,
    podRange: z.cidrv4(),
    serviceRange: z.cidrv4(),
  }),
});

/** What is remembered about a cluster between commands. */
export type ClusterRecord = z.infer<typeof clusterRecordSchema>;

/** The settings that a cluster keeps for its life. */
export type ClusterSettings = ClusterRecord["settings"];

/** The part of a cluster's options that it keeps for its life. */
export function settingsOf(
  options: ClusterOptions,
  mode: ClusterSettings["mode"],
): ClusterSettings {
  const { nodes, apiPort, bindAddress, kubeletPort, podRange, serviceRange } = options;
  return { mode, nodes, apiPort, bindAddress, kubeletPort, podRange, serviceRange };
}

/** Reads a cluster's record; null when there is none. Throws E_STATE when it can not be understood. */
export async function readClusterRecord(paths: ClusterPaths): Promise<ClusterRecord | null> {
  const text = await readFileIfExists(paths.record);
  if (text === null) return null;
  let reason: string;
  try {
    const parsed = clusterRecordSchema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    reason = z.prettifyError(parsed.error);
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  }
  throw new SandkubeError(
    "E_STATE",
    `the cluster record ${paths.record} is unreadable: ${reason}`,
    {
      hint: "Restore the file, or remove the cluster with `sandkube delete` and create it again.",
      details: { file: paths.record },
    },
  );
}

/** How many nodes a cluster has, as far as its record tells: 1 without one, or when it is unreadable. */
export async function numberOfNodes(paths: ClusterPaths): Promise<number> {
  try {
    return (await readClusterRecord(paths))?.settings.nodes ?? 1;
  } catch {
    return 1;
  }
}

export async function writeClusterRecord(
  paths: ClusterPaths,
  record: ClusterRecord,
): Promise<void> {
  await writeJsonAtomically(paths.record, record);
}
