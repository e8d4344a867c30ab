import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Root directory of this checkout of the project. */
export const checkoutDirectory = fileURLToPath(new URL("../../", import.meta.url)).replace(
  /\/$/,
  "",
);

/**
 * Directory with the built programs: SANDKUBE_PROGRAMS, else what the build noted in `.programs`
 * of the checkout, else null.
 */
export async function programsDirectory(): Promise<string | null> {
  const chosen = process.env["SANDKUBE_PROGRAMS"];
  if (chosen !== undefined && chosen !== "") return chosen;
  const noted = await readFile(join(checkoutDirectory, ".programs"), "utf8").catch(() => "");
  return noted.trim() === "" ? null : noted.trim();
}
