import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Absolute path of something in this checkout. */
export function repositoryPath(...relative: string[]): string {
  return join(root, ...relative);
}
