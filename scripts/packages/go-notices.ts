import { existsSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../programs/command.js";

const licenceFile = /^(licen[cs]e|notice|copying|copyright)([.-].*)?$/i;

/** A Go module that programs are built from. */
export interface GoModule {
  readonly path: string;
  readonly version: string;
}

/**
 * The licences and notices of all Go modules that programs were built from, by what the programs say of
 * themselves. A text that several modules share is there once. Throws when a module has none.
 */
export async function goNotices(programs: readonly string[]): Promise<string> {
  const described = await run(["go", "version", "-m", ...programs]);
  const cache = (await run(["go", "env", "GOMODCACHE"])).trim();
  const modulesByText = new Map<string, string[]>();
  for (const module of modulesOf(described)) {
    const name = `${module.path} ${module.version}`;
    const text = await licenceOf(join(cache, `${escaped(module.path)}@${escaped(module.version)}`));
    if (text === null)
      throw new Error(`the module ${name} has no licence file in Go's module cache`);
    modulesByText.set(text, [...(modulesByText.get(text) ?? []), name]);
  }
  const sections = [...modulesByText].map(([text, names]) => `${names.join("\n")}\n\n${text}\n`);
  const heading = "The programs of this package are built from these Go modules.\n";
  return [heading, ...sections].join(`\n${"-".repeat(72)}\n\n`);
}

/** The modules in the output of `go version -m`, the project's own left out. */
export function modulesOf(described: string): GoModule[] {
  const found = new Map<string, GoModule>();
  let replaced: string | null = null;
  for (const line of described.split("\n")) {
    const [, kind, path, version] = line.split("\t");
    if (path === undefined || version === undefined) continue;
    if (kind !== "dep" && kind !== "=>" && kind !== "mod") continue;
    // A replacement stands in the line after what it replaces.
    if (kind === "=>" && replaced !== null) found.delete(replaced);
    const key = `${path}@${version}`;
    replaced = key;
    if (path.startsWith("sandkube.dev/") || !version.startsWith("v")) continue;
    found.set(key, { path, version });
  }
  return [...found.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** Module paths and versions have "!a" for "A" in the cache, for file systems that ignore case. */
function escaped(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
}

async function licenceOf(directory: string): Promise<string | null> {
  // A vendored build describes modules of which the cache has nothing until they are downloaded.
  if (!existsSync(directory)) return null;
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile() && licenceFile.test(entry.name))
    .map((entry) => entry.name)
    .toSorted();
  if (names.length === 0) return null;
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), "utf8")));
  return texts.map((text) => text.trim()).join("\n\n");
}
