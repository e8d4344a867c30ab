import { SandkubeError } from "../errors.js";
import { runCommand } from "../platform/processes.js";
import type { Programs } from "../runtime/locate-programs.js";
import type { ClusterPaths } from "../state/cluster-paths.js";
import { ctrCommand } from "./containerd-cli.js";

const listTimeoutMs = 30_000;

/** An image in a cluster's containerd. */
export interface ImageInfo {
  name: string;
  digest: string;
  /** Bytes in the content store, to the precision that ctr prints: a tenth of the unit. */
  sizeBytes: number;
}

/** The images of a cluster's containerd, sorted by name. Throws E_IMAGE with containerd's reason. */
export async function listImages(
  programs: Programs,
  paths: ClusterPaths,
  signal?: AbortSignal,
): Promise<ImageInfo[]> {
  const { file, args, environment } = ctrCommand(programs, paths, ["images", "ls"]);
  const result = await runCommand(file, args, {
    timeoutMs: listTimeoutMs,
    signal,
    environment,
  });
  if (result.exitCode !== 0) {
    const reason = result.timedOut ? "containerd does not answer" : result.stderr.trim();
    throw new SandkubeError("E_IMAGE", `the images can not be listed: ${reason}`, {
      details: { output: result.stderr.trim().split("\n").slice(-10) },
    });
  }
  return parseImageTable(result.stdout);
}

const unitBytes: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

/**
 * Reads the table of `ctr images ls`: REF TYPE DIGEST SIZE PLATFORMS LABELS. The records
 * that the kubelet's side of containerd keeps under the image's id are left out.
 */
export function parseImageTable(table: string): ImageInfo[] {
  const row = /^(\S+)\s+\S+\s+(\w+:[0-9a-f]+)\s+([\d.]+)\s+([KMGT]?i?B)\s/;
  return table
    .split("\n")
    .flatMap((line) => {
      const [, name, digest, size, unit] = row.exec(line) ?? [];
      if (!name || !digest || !unit || name.startsWith("sha256:")) return [];
      return [{ name, digest, sizeBytes: Math.round(Number(size) * (unitBytes[unit] ?? 1)) }];
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
