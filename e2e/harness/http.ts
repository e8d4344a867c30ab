import type { Sandbox } from "../../lab/src/index.js";
import { OutputLines } from "./output-lines.js";

/** The body of an HTTP answer to a process of the sandbox itself, which is the node. */
export async function getFromNode(sandbox: Sandbox, url: string): Promise<string> {
  const script = `${sandbox.checkout}/e2e/inside/get-http.mjs`;
  const { exitCode, stdout, stderr } = await sandbox.exec(["node", script, url]);
  if (exitCode !== 0) throw new Error(`GET ${url} from the node: ${stderr}`);
  return stdout;
}

/**
 * Listens in the sandbox and answers every HTTP request with a text, until disposed. Waits while
 * another process has the port.
 */
export async function answerInside(
  sandbox: Sandbox,
  { host, port, text }: { host: string; port: number; text: string },
): Promise<AsyncDisposable & { listening: Promise<unknown> }> {
  const script = `${sandbox.checkout}/e2e/inside/answer-http.mjs`;
  const child = sandbox.spawn(["node", script, host, `${port}`, text]);
  const output = new OutputLines(child);
  await output.until("the listener's start", (line) => (line === "started" ? line : null));
  const listening = output.until(`listening on ${host}:${port}`, (line) =>
    line === "listening" ? line : null,
  );
  // Whoever waits for the port to become free awaits this later.
  listening.catch(() => undefined);
  return {
    listening,
    async [Symbol.asyncDispose]() {
      await child.kill("SIGKILL");
      await child.exited;
    },
  };
}
