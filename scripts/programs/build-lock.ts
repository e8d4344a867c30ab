import { spawn } from "node:child_process";
import { once } from "node:events";

/** A lock on the cache, held until disposed of or until this process ends, however it ends. */
export async function lockCache(file: string, onWait: () => void): Promise<AsyncDisposable> {
  // The kernel frees the lock when its holder ends, and the holder ends when its input does.
  const holder = spawn("flock", ["-x", file, "sh", "-c", "echo held; exec cat >/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const waiting = setTimeout(onWait, 1000);
  try {
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once("data", () => resolve());
      holder.once("error", (error) => reject(new Error(`flock (util-linux): ${error.message}`)));
      holder.once("exit", (code) => reject(new Error(`flock ended with exit code ${code}`)));
    });
  } finally {
    clearTimeout(waiting);
  }
  return {
    async [Symbol.asyncDispose]() {
      const exited = once(holder, "exit");
      holder.stdin.end();
      await exited;
    },
  };
}
