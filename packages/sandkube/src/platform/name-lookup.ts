import { Resolver } from "node:dns/promises";

/**
 * The IPv4 addresses that one name server has for a name. Rejects, with a code such as ENOTFOUND
 * or ETIMEOUT, when it has none or does not answer; aborting rejects with ECANCELLED.
 */
export async function lookUpAt(
  server: string,
  name: string,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<string[]> {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
  resolver.setServers([server]);
  const cancel = () => resolver.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    return await resolver.resolve4(name);
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}
