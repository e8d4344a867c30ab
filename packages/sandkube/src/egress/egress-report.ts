import type { Environment } from "../config/environment.js";
import { collectCaBundle, type CaSource } from "./ca-bundle.js";
import { readProxySettings, usesProxy, withoutAccount } from "./proxy-settings.js";

/** What a sandbox's environment says about the way out of it. */
export interface EgressReport {
  /** Proxies' URLs, without the accounts in them; null: none. */
  httpProxy: string | null;
  httpsProxy: string | null;
  noProxy: readonly string[];
  caSources: CaSource[];
  warnings: string[];
}

/**
 * Reads what the environment says about the way out; nothing is connected to.
 * Throws E_CONFIG for a proxy variable that names no proxy.
 */
export async function reportEgress(
  environment: Environment,
  hasDefaultRoute: boolean,
): Promise<EgressReport> {
  const settings = readProxySettings(environment);
  const { sources, problems } = await collectCaBundle(environment);
  const warnings = [...problems];
  if (sources.length === 0) {
    warnings.push("No CA certificates were found: TLS servers outside can not be verified.");
  }
  if (usesProxy(settings)) {
    const way = hasDefaultRoute ? "a way out" : "the only way out";
    warnings.push(
      `A proxy is ${way}: images are pulled through it, and pods are told of it with \`sandkube up --proxy-pods\`.`,
    );
  } else if (!hasDefaultRoute) {
    warnings.push(
      "There is no default route and no proxy: images can be loaded from files, not pulled.",
    );
  }
  return {
    httpProxy: settings.http === null ? null : withoutAccount(settings.http),
    httpsProxy: settings.https === null ? null : withoutAccount(settings.https),
    noProxy: settings.noProxy,
    caSources: sources,
    warnings,
  };
}
