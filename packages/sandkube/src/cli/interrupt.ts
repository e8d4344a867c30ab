const interruptSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const interruptedExitCode = 130;

/**
 * Runs cancellable work: the first Ctrl-C (or SIGTERM, SIGHUP) aborts its signal, and the
 * work takes back what it has made; the second ends the process at once.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  onInterrupt: () => void,
): Promise<T> {
  const { SandkubeError } = await import("../quick.js");
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(interruptedExitCode);
    onInterrupt();
    controller.abort(new SandkubeError("E_CANCELLED", "interrupted"));
  };
  for (const name of interruptSignals) process.on(name, interrupt);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of interruptSignals) process.off(name, interrupt);
  }
}
