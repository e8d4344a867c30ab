import type { Command } from "commander";
import { registerImageFrom } from "./image/from.js";
import { registerImageList } from "./image/list.js";
import { registerImageLoad } from "./image/load.js";
import { registerImagePull } from "./image/pull.js";
import { registerImagePrune, registerImageRemove, registerImageTag } from "./image/remove.js";
import { registerImageSave } from "./image/save.js";

export function registerImage(program: Command): void {
  const image = program
    .command("image")
    .summary("pull, load, make, list, save and remove container images")
    .description("Works on the container images of the cluster.");
  registerImagePull(image);
  registerImageLoad(image);
  registerImageFrom(image);
  registerImageList(image);
  registerImageTag(image);
  registerImageSave(image);
  registerImageRemove(image);
  registerImagePrune(image);
}
