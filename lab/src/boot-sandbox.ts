import { BareSandbox } from "./bare-sandbox.js";
import { LabError } from "./errors.js";
import { GvisorSandbox } from "./gvisor-sandbox.js";
import { prepare } from "./prepare.js";
import { newSandboxName, removeLeftovers, removeSandbox } from "./sandbox-directory.js";
import type { BootOptions, Sandbox } from "./sandbox.js";

const cleanupTimeoutMs = 30_000;

/**
 * Boots a sandbox; makes what it needs first, and removes what killed runs have left. Dispose it.
 * Throws E_LAB_BOOT with the end of the sandbox's logs when it does not come up,
 * E_LAB_UNSUPPORTED where the lab cannot work, E_LAB_BUILD or E_LAB_HOST_COMMAND for a failed part.
 */
export async function bootSandbox(options: BootOptions): Promise<Sandbox> {
  const { kind, signal, report } = options;
  if (kind === "bare" && bareIgnores(options)) {
    throw new LabError(
      "E_LAB_USAGE",
      "bare is this machine as it is: only gVisor has a root, raw sockets, userland, showsProject, extraMounts to choose",
    );
  }
  await prepare({
    kinds: [kind],
    userlands: [options.userland ?? "bookworm"],
    signal,
    ...(report === undefined ? {} : { report }),
  });
  await removeLeftovers(signal);
  const name = newSandboxName();
  try {
    return kind === "bare"
      ? await BareSandbox.boot(name, options)
      : await GvisorSandbox.boot(kind, name, options);
  } catch (error) {
    await removeSandbox(name, AbortSignal.timeout(cleanupTimeoutMs));
    throw error;
  }
}

function bareIgnores(options: BootOptions): boolean {
  const { overlay2, rootBacking, netRaw, userland, showsProject, extraMounts = [] } = options;
  const choices = [overlay2, rootBacking, userland, showsProject];
  return (
    choices.some((choice) => choice !== undefined) || netRaw === true || extraMounts.length > 0
  );
}
