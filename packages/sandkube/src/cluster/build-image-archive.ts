import { SandkubeError } from "../errors.js";
import {
  buildArchive,
  needsNoCluster,
  type ArchiveRecipe,
  type BuiltImage,
} from "../images/build-image.js";
import type { ImageProgressOptions } from "./cluster-images.js";
import { surroundingsOf, type SurroundingsOptions } from "./surroundings.js";

/**
 * Makes an image of a directory or a program as an archive, without a cluster: on nothing, or on
 * the image of another archive. Equal files and settings give equal digests. Throws E_USAGE for a
 * recipe that needs a cluster, or one of the codes E_IMAGE*.
 */
export async function buildImageArchive(
  recipe: ArchiveRecipe,
  options: SurroundingsOptions & ImageProgressOptions = {},
): Promise<BuiltImage> {
  const { base } = recipe;
  if (!needsNoCluster(recipe)) {
    throw new SandkubeError("E_USAGE", `the base ${base} is an image of a cluster`, {
      hint: "Without one, the base is scratch or the path of an archive, such as ./base.tar.",
    });
  }
  const programs = await surroundingsOf(options).locate();
  return await buildArchive({ programs }, recipe, options);
}
