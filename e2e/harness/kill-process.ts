import type { Sandkube } from "./sandkube.js";

/** Kills the one process whose command line matches, or sends it another signal, and returns its id. */
export async function kill(
  { sandbox }: Sandkube,
  pattern: RegExp,
  signal: NodeJS.Signals = "SIGKILL",
): Promise<number> {
  const found = (await sandbox.processes()).filter(({ command }) => pattern.test(command));
  const [process] = found;
  if (process === undefined || found.length > 1) {
    throw new Error(`${found.length} processes match ${pattern}: ${JSON.stringify(found)}`);
  }
  await sandbox.exec(["kill", "-s", signal.slice("SIG".length), `${process.pid}`]);
  return process.pid;
}
