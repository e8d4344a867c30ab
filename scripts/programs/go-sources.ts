import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { repositoryPath } from "./repository.js";

/**
 * The files below runtime that a package is compiled from: its own and those of all packages there
 * that it imports, tests apart. Found by reading import declarations, which
 * takes milliseconds where `go list` loads all of Kubernetes. Paths are relative to the checkout.
 */
export async function goSources(packageDirectory: string): Promise<string[]> {
  const sources: string[] = [];
  const seen = new Set<string>();
  const pending = [packageDirectory];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    for (const file of await packageFiles(next)) {
      sources.push(file);
      if (file.endsWith(".go")) pending.push(...(await importedPackages(file)));
    }
  }
  return sources.toSorted();
}

/** Files of a package, with those of directories below that hold no Go code and may be embedded. */
async function packageFiles(directory: string): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await readdir(repositoryPath(directory), { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isFile() && !entry.name.endsWith("_test.go")) files.push(path);
    if (entry.isDirectory() && entry.name !== "testdata" && !(await holdsGoCode(path))) {
      files.push(...(await packageFiles(path)));
    }
  }
  return files;
}

async function holdsGoCode(directory: string): Promise<boolean> {
  const names = await readdir(repositoryPath(directory), { recursive: true });
  return names.some((name) => name.endsWith(".go"));
}

async function importedPackages(file: string): Promise<string[]> {
  const text = await readFile(repositoryPath(file), "utf8");
  const imports = text.matchAll(
    /^\s*(?:import\s+)?(?:[\w.]+\s+)?"sandkube\.dev\/(?:runtime|(upstream))\/([^"]+)"/gm,
  );
  return [...imports].map(([, upstream = "", path = ""]) => join("runtime", upstream, path));
}
