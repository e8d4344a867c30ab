import type { Environment } from "../config/environment.js";
import { SandkubeError } from "../errors.js";

/** The proxies through which programs leave the sandbox. The URLs may hold a password. */
export interface ProxySettings {
  /** For `http:` targets; null: there is none. */
  http: string | null;
  /** For `https:` targets; null: there is none. */
  https: string | null;
  /** Targets that are reached without a proxy: names, domains, addresses and ranges. */
  noProxy: readonly string[];
}

/** Ranges and addresses of a cluster that no proxy may be asked for. */
export interface ClusterRanges {
  podRange: string;
  serviceRange: string;
  /** The ClusterIP of the API server, for programs that compare no ranges. */
  apiServerAddress: string;
}

const schemes = ["http:", "https:", "socks5:", "socks5h:"];

/**
 * Reads the proxy variables, in the order of curl and Go: HTTPS_PROXY and HTTP_PROXY before
 * ALL_PROXY; a lower-case variable before an upper-case one. Throws E_CONFIG for a value that is
 * no URL of a proxy.
 */
export function readProxySettings(environment: Environment): ProxySettings {
  const all = proxyUrl(environment, "ALL_PROXY");
  return {
    http: proxyUrl(environment, "HTTP_PROXY") ?? all,
    https: proxyUrl(environment, "HTTPS_PROXY") ?? all,
    noProxy: (variable(environment, "NO_PROXY") ?? "")
      .split(",")
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ""),
  };
}

/** Whether anything goes through a proxy. */
export function usesProxy({ http, https }: ProxySettings): boolean {
  return http !== null || https !== null;
}

/** The settings with the cluster's own addresses and names reached directly. */
export function withoutProxyInCluster(
  settings: ProxySettings,
  ranges: ClusterRanges,
): ProxySettings {
  if (settings.noProxy.includes("*")) return settings;
  const own = [
    ...["localhost", "127.0.0.0/8", "::1"],
    ...[ranges.podRange, ranges.serviceRange, ranges.apiServerAddress],
    ...[".svc", ".cluster.local"],
  ];
  return { ...settings, noProxy: [...new Set([...settings.noProxy, ...own])] };
}

/** The variables that say so to programs, in upper and lower case; empty when there is no proxy. */
export function proxyVariables(settings: ProxySettings): Record<string, string> {
  if (!usesProxy(settings)) return {};
  const { http, https, noProxy } = settings;
  const upper: [string, string][] = [
    ...(http === null ? [] : [["HTTP_PROXY", http] as [string, string]]),
    ...(https === null ? [] : [["HTTPS_PROXY", https] as [string, string]]),
    ["NO_PROXY", noProxy.join(",")],
  ];
  return Object.fromEntries(
    upper.flatMap(([name, value]) => [
      [name, value],
      [name.toLowerCase(), value],
    ]),
  );
}

/**
 * The settings as pods need them: a proxy at a loopback address of the sandbox is reached at the
 * node's address. Gives the ports for which that has to be arranged.
 */
export function proxiesForPods(
  settings: ProxySettings,
  nodeAddress: string,
): { settings: ProxySettings; loopbackPorts: number[] } {
  const loopbackPorts = new Set<number>();
  const translate = (text: string | null): string | null => {
    if (text === null) return null;
    const url = new URL(text);
    if (!isLoopback(url.hostname)) return text;
    const port = portOf(url);
    loopbackPorts.add(port);
    // URL drops a port that is its scheme's default, and adds a slash that some programs trip over.
    const account = /^[^/]*\/\/([^@/]*@)?/.exec(text)?.[1] ?? "";
    return `${url.protocol}//${account}${nodeAddress}:${port}`;
  };
  return {
    settings: { ...settings, http: translate(settings.http), https: translate(settings.https) },
    loopbackPorts: [...loopbackPorts].toSorted((a, b) => a - b),
  };
}

/** A proxy's URL for people: without the account in it. */
export function withoutAccount(proxy: string): string {
  return proxy.replace(/^([^/]*\/\/)[^@/]*@/, "$1***@");
}

function variable(environment: Environment, name: string): string | undefined {
  return environment[name.toLowerCase()] || environment[name] || undefined;
}

function proxyUrl(environment: Environment, name: string): string | null {
  const value = variable(environment, name);
  if (value === undefined) return null;
  // `proxy:3128` is an HTTP proxy for every program that reads the variable.
  const text = value.includes("://") ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && schemes.includes(url.protocol) && url.hostname !== "") return text;
  throw new SandkubeError("E_CONFIG", `${name} is ${withoutAccount(text)}, which names no proxy`, {
    hint: "A proxy is named as http://HOST:PORT; HTTPS and SOCKS5 proxies have https:// and socks5://.",
  });
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
}

function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  if (url.protocol === "https:") return 443;
  return url.protocol === "http:" ? 80 : 1080;
}
