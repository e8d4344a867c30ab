import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { goSources } from "./go-sources.js";
import { repositoryPath } from "./repository.js";

/**
 * The files of a module below runtime/upstream, tests apart: its go.mod and go.sum, and what the
 * packages consist of. Module and packages are paths in the checkout, and so are the files.
 */
export async function upstreamModuleFiles(
  module: string,
  packages: readonly string[],
): Promise<string[]> {
  const sources = await Promise.all(packages.map((directory) => goSources(directory)));
  return [...new Set([...sources.flat(), `${module}/go.mod`, `${module}/go.sum`])];
}

/** Copies files of a module to a directory, where its dependencies can be vendored and patched. */
export async function copyModuleFiles(
  module: string,
  files: readonly string[],
  directory: string,
): Promise<void> {
  for (const file of files) {
    const copy = join(directory, relative(module, file));
    await mkdir(dirname(copy), { recursive: true });
    await copyFile(repositoryPath(file), copy);
  }
}
