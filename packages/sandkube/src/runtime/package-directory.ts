import { createRequire } from "node:module";
import { dirname } from "node:path";

/**
 * The directory of this package. Found by the package's own name: the published code is bundled, so
 * that no path relative to a source file leads there.
 */
export function packageDirectory(): string {
  return dirname(createRequire(import.meta.url).resolve("sandkube/package.json"));
}
