import * as fs from "node:fs/promises";
import { SandkubeError } from "../errors.js";
import { errnoOf, removeTree } from "../platform/files.js";
import type { Programs } from "../runtime/locate-programs.js";
import { stopRuntime } from "../runtime/stop-runtime.js";
import { removeClusterDirectory } from "../state/cluster-directories.js";
import { failedLogsDirectory, type ClusterPaths } from "../state/cluster-paths.js";

/** Pods that a failed `up` may have started are not worth waiting for. */
const rollbackGraceMs = 2_000;

/** What one `up` has made so far. */
export interface MadeByUp {
  /** The cluster's directory did not hold a finished cluster before. */
  directory: boolean;
  /** The supervisor was started. */
  runtime: boolean;
}

export interface RollbackRequest {
  dataDirectory: string;
  name: string;
  paths: ClusterPaths;
  programs: Programs;
  made: MadeByUp;
}

/**
 * Takes back what a failed `up` has made; what was there before stays. The logs of a
 * removed cluster are kept beside it. Gives the error to report, whose log path is
 * where the log now lies. Not abortable: half a rollback helps nobody.
 */
export async function rollBack(
  error: SandkubeError,
  { dataDirectory, name, paths, programs, made }: RollbackRequest,
): Promise<SandkubeError> {
  if (made.runtime) {
    await stopRuntime(async () => programs, paths, { graceMs: rollbackGraceMs });
  }
  if (!made.directory) return error;
  const keptLogs = failedLogsDirectory(dataDirectory, name);
  // Who cancels looks for no cause, and wants nothing left.
  const keepsLogs = made.runtime && error.code !== "E_CANCELLED";
  const kept = keepsLogs && (await moveLogs(paths.logsDirectory, keptLogs));
  await removeClusterDirectory(dataDirectory, name);
  return kept ? withLogsAt(error, paths.logsDirectory, keptLogs) : error;
}

async function moveLogs(from: string, to: string): Promise<boolean> {
  await removeTree(to);
  try {
    await fs.rename(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) !== "EXDEV") return false;
    await fs.cp(from, to, { recursive: true });
    return true;
  }
}

function withLogsAt(error: SandkubeError, from: string, to: string): SandkubeError {
  const { log } = error.details;
  const moved = typeof log === "string" ? log.replace(from, to) : to;
  return new SandkubeError(error.code, error.message, {
    hint: error.hint,
    details: { ...error.details, log: moved },
    cause: error.cause,
  });
}
