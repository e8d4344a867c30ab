import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { hostArchitecture } from "../../scripts/programs/architecture.js";
import { packPackages } from "../../scripts/packages/pack.js";
import { tarballsIn } from "../../scripts/packages/tarball.js";
import { run } from "../../scripts/programs/command.js";
import { programsDirectory } from "../../lab/src/checkout.js";

/**
 * Packs the package `sandkube` and the programs for this machine, from what is built, into a directory
 * that `e2e/inside/registry.mjs` serves.
 */
export async function packForRegistry(output: string): Promise<void> {
  const programs = await programsDirectory();
  if (programs === null) throw new Error("the programs are not built: npm run build:programs");
  await packPackages({ programs: new Map([[hostArchitecture(), programs]]), output });
  const packages: Record<string, unknown> = {};
  for (const path of await tarballsIn(output)) {
    const text = await run(["tar", "-xzOf", path, "package/package.json"]);
    const manifest = JSON.parse(text) as { name: string };
    const digest = createHash("sha512")
      .update(await readFile(path))
      .digest("base64");
    packages[manifest.name] = { manifest, file: basename(path), integrity: `sha512-${digest}` };
  }
  await writeFile(join(output, "packages.json"), JSON.stringify(packages));
}

/** Directory of the npm that belongs to the Node which runs the tests; it is all JavaScript. */
export function npmDirectory(): string {
  const beside = join(dirname(dirname(realpathSync(process.execPath))), "lib/node_modules/npm");
  if (existsSync(beside)) return beside;
  throw new Error(`there is no npm in ${beside}`);
}
