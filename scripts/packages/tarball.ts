import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../programs/command.js";

/**
 * The most that a package may weigh when packed. npm's registry answers 413 from somewhere above
 * 200 MB, and a sandbox downloads the whole of it before anything can start.
 */
export const packedBudgetBytes = 100_000_000;

/** A packed package. */
export interface Tarball {
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly sizeBytes: number;
}

/** Packs a laid out package as npm does. Throws when it is larger than the budget. */
export async function packTarball(directory: string, target: string): Promise<Tarball> {
  const output = await run(
    ["npm", "pack", "--json", "--ignore-scripts", "--pack-destination", target],
    { cwd: directory },
  );
  const [packed] = JSON.parse(output) as { filename: string; name: string; version: string }[];
  if (packed === undefined) throw new Error(`npm packed nothing in ${directory}`);
  const path = join(target, packed.filename);
  const { size } = await stat(path);
  checkBudget(packed.name, size);
  return { path, name: packed.name, version: packed.version, sizeBytes: size };
}

/** Fails for a package that is larger than it may be. */
export function checkBudget(name: string, sizeBytes: number): void {
  if (sizeBytes <= packedBudgetBytes) return;
  throw new Error(
    `${name} weighs ${megabytes(sizeBytes)} packed; at most ${megabytes(packedBudgetBytes)} are allowed`,
  );
}

/** A size for people, in the decimal unit that registries count in. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** The packed packages in a directory. */
export async function tarballsIn(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  return names.filter((name) => name.endsWith(".tgz")).map((name) => join(directory, name));
}
