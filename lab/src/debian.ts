import { existsSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { LabError } from "./errors.js";
import { requireOnHost, runOnHost } from "./host-command.js";

const installTimeoutMs = 5 * 60_000;

/** One line or stanza of apt's sources, as far as the lab needs it. */
export interface AptSource {
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
}

/**
 * Installs Debian packages for programs that this machine lacks.
 * `programs` maps a program's name to the package that has it.
 */
export async function ensurePrograms(
  programs: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const searched = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  const missing = Object.entries(programs)
    .filter(([program]) => !searched.some((directory) => existsSync(join(directory, program))))
    .map(([, debianPackage]) => debianPackage);
  if (missing.length === 0) return;
  const options = {
    signal,
    timeoutMs: installTimeoutMs,
    env: { DEBIAN_FRONTEND: "noninteractive" },
  };
  const install = ["apt-get", "install", "--yes", "--no-install-recommends", ...new Set(missing)];
  // A machine's package lists may be absent or too old to name what the mirror still has.
  if ((await runOnHost(install, options)).exitCode === 0) return;
  await requireOnHost(["apt-get", "update"], options);
  await requireOnHost(install, options);
}

/** Reads one file of apt's sources, in either of its two formats. */
export function parseAptSources(text: string, format: "deb822" | "one-line"): AptSource[] {
  const lines = text.split("\n").filter((line) => !line.trimStart().startsWith("#"));
  if (format === "one-line") {
    return lines.flatMap((line) => {
      const match = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.+)$/.exec(line.trim());
      if (match === null) return [];
      const [, uri = "", suite = "", components = ""] = match;
      return [{ uri, suite, components: components.trim().split(/\s+/) }];
    });
  }
  return lines
    .join("\n")
    .split(/\n\s*\n/)
    .flatMap((stanza) => {
      const field = (name: string): string[] => {
        const match = new RegExp(`^${name}:[ \\t]*(.*(?:\\n[ \\t]+.*)*)`, "im").exec(stanza);
        return (match?.[1] ?? "").split(/\s+/).filter((word) => word !== "");
      };
      if (!field("Types").includes("deb")) return [];
      return field("URIs").flatMap((uri) =>
        field("Suites").map((suite) => ({ uri, suite, components: field("Components") })),
      );
    });
}

/**
 * Address of the Debian archive that this machine itself installs from, so that the lab works
 * behind whatever mirror or proxy the machine was given. Throws E_LAB_UNSUPPORTED elsewhere.
 */
export async function debianMirror(): Promise<string> {
  const osRelease = await readFile("/etc/os-release", "utf8").catch(() => "");
  const codename = /^VERSION_CODENAME=(\S+)$/m.exec(osRelease)?.[1] ?? "stable";
  const suites = new Set([codename, "oldstable", "stable", "testing", "sid", "unstable"]);
  for (const source of await readAptSources()) {
    if (!suites.has(source.suite) || !source.components.includes("main")) continue;
    return await resolveMirrorList(source.uri);
  }
  throw new LabError(
    "E_LAB_UNSUPPORTED",
    "the lab takes its root file systems from the machine's Debian archive, " +
      "and /etc/apt names no source with the component main",
  );
}

async function readAptSources(): Promise<AptSource[]> {
  const parts = "/etc/apt/sources.list.d";
  const names = (await readdir(parts).catch(() => [])).toSorted();
  const files = ["/etc/apt/sources.list", ...names.map((name) => join(parts, name))];
  const sources: AptSource[] = [];
  for (const file of files) {
    const format = file.endsWith(".sources") ? "deb822" : "one-line";
    if (format === "one-line" && !file.endsWith(".list")) continue;
    sources.push(...parseAptSources(await readFile(file, "utf8").catch(() => ""), format));
  }
  return sources;
}

/** Cloud images name a local file with a list of mirrors, which only apt itself understands. */
async function resolveMirrorList(uri: string): Promise<string> {
  if (!uri.startsWith("mirror+file:")) return uri;
  const list = await readFile(uri.slice("mirror+file:".length), "utf8");
  const first = list.split("\n").find((line) => /^https?:/.test(line.trim()));
  if (first === undefined) throw new LabError("E_LAB_UNSUPPORTED", `${uri} names no mirror`);
  return first.trim().split(/\s+/)[0] ?? first;
}
