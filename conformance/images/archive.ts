import { join } from "node:path";
import { requireOnHost } from "../../lab/src/host-command.js";
import type { ImageRecipe } from "./image.js";

const archiveTimeoutMs = 5 * 60_000;

/** A recipe with the full name that its image gets. */
export interface NamedImage extends ImageRecipe {
  readonly reference: string;
}

/** Makes an image's archive in a directory, by the archive tool at the path `imageArchive`. */
export async function writeArchive(
  imageArchive: string,
  directory: string,
  { reference, content, entrypoint = [], command = [], user }: NamedImage,
  signal: AbortSignal,
): Promise<void> {
  const argv = [
    imageArchive,
    ...["-o", join(directory, archiveName(reference)), "-ref", reference],
    ...content,
    ...entrypoint.flatMap((word) => ["-entrypoint", word]),
    ...command.flatMap((word) => ["-cmd", word]),
    ...(user === undefined ? [] : ["-user", user]),
  ];
  await requireOnHost(argv, { signal, timeoutMs: archiveTimeoutMs });
}

/** Name of the file that an image's archive is. */
export function archiveName(reference: string): string {
  return `${reference.replaceAll(/[^\w.-]+/g, "_")}.tar`;
}
