import { readFileSync } from "node:fs";
import { repositoryPath } from "../../scripts/programs/repository.js";

/**
 * The shell scripts that a page of the repository shows: its fenced blocks of the language `sh`, in
 * order. Blocks of other languages and indented ones are not meant to be run as they stand.
 */
export function documentedScripts(page: string): string[] {
  return fencedBlocks(page, "sh");
}

/** The content of a page's fenced blocks of a language. */
export function fencedBlocks(page: string, language: string): string[] {
  const text = readFileSync(repositoryPath(page), "utf8");
  const blocks = text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"));
  const contents = [...blocks].map(([, content = ""]) => content);
  if (contents.length === 0) throw new Error(`${page} has no block of ${language}`);
  return contents;
}
