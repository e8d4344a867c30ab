import { join } from "node:path";
import { z } from "zod";
import { SandkubeError } from "../errors.js";
import { readFileIfExists, sha256OfFile, sizeOf } from "../platform/files.js";

/** Name of the file of a programs directory that says what is in it. */
export const manifestFile = "programs.json";

const manifestSchema = z.object({
  /** The version of sandkube. */
  version: z.string(),
  /** The processor, by Node's name for it. */
  architecture: z.string(),
  /** The versions of what the programs are built from, such as `kubernetes: v1.36.4`. */
  components: z.record(z.string(), z.string()),
  /** Digest, in hexadecimal, and size of every other file. */
  files: z.record(z.string(), z.object({ sha256: z.string(), sizeBytes: z.number().int() })),
});

/** What a programs directory says of itself. */
export type ProgramsManifest = z.infer<typeof manifestSchema>;

/** Reads the manifest of a programs directory. Throws E_PROGRAMS_MISMATCH when it is missing or unreadable. */
export async function readManifest(directory: string): Promise<ProgramsManifest> {
  const file = join(directory, manifestFile);
  try {
    return manifestSchema.parse(JSON.parse((await readFileIfExists(file)) ?? ""));
  } catch (cause) {
    throw new SandkubeError("E_PROGRAMS_MISMATCH", `${file} is missing or unreadable`, {
      hint: "Build or install the programs again.",
      details: { file },
      cause,
    });
  }
}

/**
 * Files of a programs directory that differ in size from what its manifest says: a copy or a download
 * that was cut off. A missing file is none of them.
 */
export async function filesOfWrongSize(
  directory: string,
  { files }: ProgramsManifest,
): Promise<string[]> {
  const sizes = await Promise.all(
    Object.entries(files).map(async ([name, { sizeBytes }]) => {
      const found = await sizeOf(join(directory, name));
      return found === null || found === sizeBytes ? [] : [name];
    }),
  );
  return sizes.flat();
}

/** Files of a programs directory whose content is not what its manifest says; reads all of them. */
export async function filesOfWrongContent(
  directory: string,
  { files }: ProgramsManifest,
  signal?: AbortSignal,
): Promise<string[]> {
  const wrong: string[] = [];
  for (const [name, { sha256 }] of Object.entries(files)) {
    if ((await sha256OfFile(join(directory, name), signal)) !== sha256) wrong.push(name);
  }
  return wrong;
}
