/**
 * `sandkube logs | head` closes the pipe early, which is no failure: what remains to be printed is of no
 * use to anybody. Work that others rely on goes on: see {@link whoeverReads}.
 */
export function onOutputError(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  if (process.stdout.listeners("error").includes(goOn)) return;
  process.exit(process.exitCode ?? 0);
}

/** Nobody reads progress and messages any more. */
export function onProgressError(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

/** Does work to its end even when its output is no longer read: half a cluster is worse than no output. */
export async function whoeverReads<T>(work: () => Promise<T>): Promise<T> {
  process.stdout.on("error", goOn);
  try {
    return await work();
  } finally {
    process.stdout.off("error", goOn);
  }
}

function goOn(): void {}
