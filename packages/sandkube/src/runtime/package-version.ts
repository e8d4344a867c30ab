import * as fs from "node:fs/promises";
import { z } from "zod";

/** The version of this package, from its package.json. */
export async function packageVersion(): Promise<string> {
  const manifest = new URL("../../package.json", import.meta.url);
  const parsed: unknown = JSON.parse(await fs.readFile(manifest, "utf8"));
  return z.object({ version: z.string() }).parse(parsed).version;
}
