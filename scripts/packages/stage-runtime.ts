import { chmod, copyFile, link, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Architecture } from "../programs/architecture.js";
import { repositoryPath } from "../programs/repository.js";
import { goNotices } from "./go-notices.js";
import { runtimeManifest, runtimePackageName } from "./manifests.js";

/** Lays out the package with the programs for a processor, of a programs directory. */
export async function stageRuntime(
  directory: string,
  programs: string,
  architecture: Architecture,
): Promise<void> {
  const bin = join(directory, "bin");
  await mkdir(bin, { recursive: true });
  const names = await readdir(programs);
  const executables = names.filter((name) => !/\.(tar|json)$/.test(name)).toSorted();
  for (const name of names) await place(join(programs, name), join(bin, name));
  const manifest = runtimeManifest(architecture, executables);
  await writeFile(join(directory, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await writeFile(join(directory, "README.md"), readme(architecture));
  await writeFile(
    join(directory, "THIRD-PARTY-NOTICES.txt"),
    await goNotices(executables.map((name) => join(bin, name))),
  );
  await copyFile(repositoryPath("LICENSE"), join(directory, "LICENSE"));
}

/** By a hard link where that is possible: the programs of a processor are some 300 MB. */
async function place(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch {
    await copyFile(source, target);
    await chmod(target, target.endsWith(".tar") || target.endsWith(".json") ? 0o644 : 0o755);
  }
}

function readme(architecture: Architecture): string {
  return `# ${runtimePackageName(architecture)}

The programs of sandkube for Linux on ${architecture}: static, for any distribution. It is installed with \`sandkube\` where it fits, and is of no use by itself.
`;
}
