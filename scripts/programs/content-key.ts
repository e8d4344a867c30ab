import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { repositoryPath } from "./repository.js";

/** What a build result depends on. */
export interface Recipe {
  /** Paths in the checkout. */
  readonly files: readonly string[];
  /** Everything else: flags, versions, keys of what goes into it. */
  readonly facts: readonly string[];
}

/** A name for the result of a recipe: equal for equal file contents and facts. */
export async function contentKey(recipe: Recipe): Promise<string> {
  const hash = createHash("sha256");
  for (const fact of recipe.facts) hash.update(`fact ${fact.length}\n${fact}`);
  for (const file of recipe.files.toSorted()) {
    const content = await readFile(repositoryPath(file));
    hash.update(`file ${file} ${content.length}\n`).update(content);
  }
  return hash.digest("hex").slice(0, 20);
}
