import type { Command } from "commander";
import { registerImageList } from "./image/list.js";
import { registerImageLoad } from "./image/load.js";

export function registerImage(program: Command): void {
  const image = program
    .command("image")
    .summary("load and list container images")
    .description("Brings container images to the cluster and lists them.");
  registerImageLoad(image);
  registerImageList(image);
}
