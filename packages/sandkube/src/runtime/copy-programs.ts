import * as fs from "node:fs/promises";
import { join } from "node:path";
import { SandkubeError } from "../errors.js";
import { errnoOf, isExecutable, removeTree, sha256OfFile } from "../platform/files.js";
import { copiedPrograms, damaged, programNames } from "./locate-programs.js";
import { manifestFile, readManifest } from "./programs-manifest.js";

/**
 * Makes a copy of a programs directory in a data directory, where `locatePrograms` finds it first, and
 * checks the content of each file. Gives the copy's directory. The caller holds a lock. A copy that is
 * there is replaced as a whole. Throws E_PROGRAMS_MISMATCH for damaged files, E_DATA_DIRECTORY when the
 * copy can not be made or executed there.
 */
export async function copyPrograms(
  source: string,
  dataDirectory: string,
  signal?: AbortSignal,
): Promise<string> {
  const manifest = await readManifest(source);
  const target = copiedPrograms(dataDirectory, manifest.version);
  const partial = `${target}.partial`;
  await removeTree(partial);
  try {
    await fs.mkdir(partial, { mode: 0o755 });
    for (const [name, { sha256 }] of Object.entries(manifest.files)) {
      signal?.throwIfAborted();
      const copy = join(partial, name);
      await fs.copyFile(join(source, name), copy);
      await fs.chmod(copy, programNames.some((program) => program === name) ? 0o755 : 0o644);
      if ((await sha256OfFile(copy, signal)) !== sha256) throw damaged(source, [name]);
    }
    await fs.copyFile(join(source, manifestFile), join(partial, manifestFile));
    if (!(await isExecutable(join(partial, "sandkube-supervisor")))) {
      throw new SandkubeError(
        "E_DATA_DIRECTORY",
        `programs can not be executed in the data directory ${dataDirectory}: its file system is mounted noexec`,
        { hint: "Choose another one with --data or SANDKUBE_DATA.", details: { dataDirectory } },
      );
    }
    await removeTree(target);
    await fs.rename(partial, target);
    return target;
  } catch (error) {
    await removeTree(partial);
    if (error instanceof SandkubeError || errnoOf(error) === undefined) throw error;
    throw new SandkubeError(
      "E_DATA_DIRECTORY",
      `the programs can not be copied to ${target}: ${error instanceof Error ? error.message : String(error)}`,
      {
        hint: "Choose a data directory with space that you can write to with --data or SANDKUBE_DATA.",
        details: { directory: target, errno: errnoOf(error) },
        cause: error,
      },
    );
  }
}
