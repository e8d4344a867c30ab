import * as fs from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { packageDirectory } from "./package-directory.js";

/** The version of this package, from its package.json. */
export async function packageVersion(): Promise<string> {
  const manifest = join(packageDirectory(), "package.json");
  const parsed: unknown = JSON.parse(await fs.readFile(manifest, "utf8"));
  return z.object({ version: z.string() }).parse(parsed).version;
}
