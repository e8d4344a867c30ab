import * as fs from "node:fs/promises";
import { join } from "node:path";
import { programNames } from "../locate-programs.js";

/** Fills a directory with files that have the names of the programs but do nothing. */
export async function makeProgramsDirectory(directory: string, version: string): Promise<string> {
  await fs.mkdir(directory, { recursive: true });
  for (const name of programNames) {
    await fs.writeFile(join(directory, name), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
  }
  await fs.writeFile(join(directory, "pause.tar"), "");
  const manifest = { version, components: { kubernetes: "v1.36.4" }, sha256: {} };
  await fs.writeFile(join(directory, "programs.json"), JSON.stringify(manifest));
  return directory;
}
