import * as fs from "node:fs/promises";
import { join } from "node:path";
import { programNames } from "../locate-programs.js";

/**
 * Fills a directory with files that have the names of the programs but do nothing. Its manifest lists
 * no files, so that tests may change them.
 */
export async function makeProgramsDirectory(directory: string, version: string): Promise<string> {
  await fs.mkdir(directory, { recursive: true });
  for (const name of programNames) {
    await fs.writeFile(join(directory, name), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
  }
  await fs.writeFile(join(directory, "pause.tar"), "");
  const components = { kubernetes: "v1.36.4" };
  const manifest = { version, architecture: process.arch, components, files: {} };
  await fs.writeFile(join(directory, "programs.json"), JSON.stringify(manifest));
  return directory;
}
