import { z } from "zod";
import { SandkubeError } from "../errors.js";
import { readFileIfExists, writeJsonAtomically } from "../platform/files.js";
import type { ClusterPaths } from "./cluster-paths.js";

const imagesChoiceSchema = z.strictObject({
  schema: z.literal(1),
  /** Absolute path of the images directory that the user named. */
  imagesDirectory: z.string(),
});

/** The images directory that was last named; null when none was. Throws E_STATE for an unreadable file. */
export async function readImagesChoice(paths: ClusterPaths): Promise<string | null> {
  const text = await readFileIfExists(paths.imagesChoice);
  if (text === null) return null;
  try {
    return imagesChoiceSchema.parse(JSON.parse(text)).imagesDirectory;
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw new SandkubeError("E_STATE", `${paths.imagesChoice} is unreadable: ${reason}`, {
      hint: "Remove the file: the next `sandkube up` then looks in the usual places.",
      details: { file: paths.imagesChoice },
      cause,
    });
  }
}

/** Remembers a named images directory. */
export async function writeImagesChoice(
  paths: ClusterPaths,
  imagesDirectory: string,
): Promise<void> {
  await writeJsonAtomically(paths.imagesChoice, { schema: 1, imagesDirectory });
}
