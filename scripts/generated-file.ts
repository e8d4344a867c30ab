import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { format } from "oxfmt";

/** The directory of the checkout. */
const checkout = dirname(dirname(fileURLToPath(import.meta.url)));

/** A committed file that is made from the code; `path` is relative to the checkout. */
export interface GeneratedFile {
  path: string;
  content: string;
}

/** A generated file in the project's format, so that formatting never makes it stale. */
export async function generatedFile(path: string, text: string): Promise<GeneratedFile> {
  const { code, errors } = await format(path, text);
  const [problem] = errors;
  if (problem !== undefined) throw new Error(`${path} can not be formatted: ${problem.message}`);
  return { path, content: code };
}

/** The present content of a generated file, or null when it is not there. */
export function committedContent(path: string): string | null {
  try {
    return readFileSync(join(checkout, path), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

/** Writes the files that differ and returns their paths. */
export function writeGenerated(files: readonly GeneratedFile[]): string[] {
  const stale = files.filter(({ path, content }) => committedContent(path) !== content);
  for (const { path, content } of stale) {
    mkdirSync(dirname(join(checkout, path)), { recursive: true });
    writeFileSync(join(checkout, path), content);
  }
  return stale.map(({ path }) => path);
}

/** Whether a module, given by its import.meta.url, is the program that was started. */
export function isProgram(moduleUrl: string): boolean {
  return process.argv[1] === fileURLToPath(moduleUrl);
}
