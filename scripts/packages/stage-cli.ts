import { createHash } from "node:crypto";
import { copyFile, cp, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { Architecture } from "../programs/architecture.js";
import { repositoryPath } from "../programs/repository.js";
import { cliManifest } from "./manifests.js";

/** The declarations of zod that the library's own declarations name types of. */
const zodFolders = ["v4/classic", "v4/core", "v4/locales"] as const;

/** The schemas of what users write and read. */
const publicSchemas = ["cluster-config.schema.json", "json-lines.schema.json"] as const;

/**
 * Lays out the package `sandkube` from what `npm run build` has made, with the digests of the manifests
 * of the programs that it is released with.
 */
export async function stageCli(
  directory: string,
  programs: ReadonlyMap<Architecture, string>,
): Promise<void> {
  const source = repositoryPath("packages/sandkube");
  await cp(join(source, "bin"), join(directory, "bin"), { recursive: true });
  await cp(join(source, "dist"), join(directory, "dist"), { recursive: true });
  await bringZodDeclarations(join(directory, "dist"));
  const digests: Record<string, string> = {};
  for (const [architecture, from] of programs) {
    const manifest = await readFile(join(from, "programs.json"));
    digests[`linux-${architecture}`] = createHash("sha256").update(manifest).digest("hex");
  }
  await writeJson(join(directory, "dist", "programs.json"), digests);
  await writeJson(join(directory, "package.json"), cliManifest());
  await copyFile(repositoryPath("README.md"), join(directory, "README.md"));
  await cp(repositoryPath("docs"), join(directory, "docs"), { recursive: true });
  await mkdir(join(directory, "protocol"));
  for (const name of publicSchemas) {
    await copyFile(repositoryPath(`protocol/${name}`), join(directory, "protocol", name));
  }
  await copyFile(repositoryPath("LICENSE"), join(directory, "LICENSE"));
}

/**
 * Puts the part of zod that declarations refer to beside them: zod's code is bundled, and without its
 * types the package would still depend on it.
 */
async function bringZodDeclarations(dist: string): Promise<void> {
  const zod = repositoryPath("node_modules/zod");
  const target = join(dist, "zod");
  const names = await Promise.all(
    zodFolders.map(async (folder) => {
      const files = await readdir(join(zod, folder), { recursive: true });
      return files.filter((file) => file.endsWith(".d.ts")).map((file) => join(folder, file));
    }),
  );
  for (const name of ["index.d.ts", ...names.flat()]) {
    await mkdir(dirname(join(target, name)), { recursive: true });
    await copyFile(join(zod, name), join(target, name));
  }
  const own = (await readdir(dist, { recursive: true })).filter(
    (file) => file.endsWith(".d.ts") && !file.startsWith("zod/"),
  );
  for (const file of own) {
    const path = join(dist, file);
    const text = await readFile(path, "utf8");
    const reference = `./${relative(dirname(path), join(target, "index.js"))}`;
    await writeFile(path, text.replaceAll(`from "zod"`, `from "${reference}"`));
  }
}

async function writeJson(file: string, value: unknown): Promise<void> {
  await writeFile(file, `${JSON.stringify(value, null, 2)}\n`);
}
