import type { Sandbox } from "../../lab/src/index.js";

const timeoutMs = 120_000;

/** The processes, pods, events and logs of a sandbox's cluster, as a text for people. */
export async function diagnose(sandbox: Sandbox, user = 0): Promise<string> {
  try {
    const script = ["sh", `${sandbox.checkout}/e2e/inside/examine.sh`];
    const { stdout } = await sandbox.exec(script, { user, timeoutMs });
    return stdout;
  } catch (error) {
    return `no diagnosis: ${error instanceof Error ? error.message : String(error)}`;
  }
}
