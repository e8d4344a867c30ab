import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Architecture } from "../programs/architecture.js";
import { stageCli } from "./stage-cli.js";
import { stageRuntime } from "./stage-runtime.js";
import { packTarball, type Tarball } from "./tarball.js";
import { verifyRuntime } from "./verify-runtime.js";

export interface PackRequest {
  /** The programs directory for each processor to pack. */
  readonly programs: ReadonlyMap<Architecture, string>;
  /** Directory that gets the tarballs; it is replaced as a whole. */
  readonly output: string;
}

/**
 * Makes the packages that sandkube is published as: one for each processor with the programs, and then
 * `sandkube` itself. Everything is checked before it is packed. Nothing is left when that fails.
 */
export async function packPackages({ programs, output }: PackRequest): Promise<Tarball[]> {
  await mkdir(dirname(output), { recursive: true });
  // Beside the result, so that programs can be hard links and the end is one renaming.
  const scratch = await mkdtemp(join(dirname(output), `.${basename(output)}-`));
  try {
    const packed = join(scratch, "packed");
    await mkdir(packed);
    const staged: string[] = [];
    for (const [architecture, directory] of programs) {
      const stage = join(scratch, architecture);
      await mkdir(stage);
      await stageRuntime(stage, directory, architecture);
      await verifyRuntime(stage, architecture);
      staged.push(stage);
    }
    const cli = join(scratch, "sandkube");
    await mkdir(cli);
    await stageCli(cli, programs);
    // The order of publishing: whoever can install `sandkube` can install its programs.
    const tarballs: Tarball[] = [];
    for (const stage of [...staged, cli]) tarballs.push(await packTarball(stage, packed));
    await rm(output, { recursive: true, force: true });
    await rename(packed, output);
    return tarballs.map((tarball) => ({ ...tarball, path: join(output, basename(tarball.path)) }));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
