import type { Command } from "commander";
import type { ImageInfo } from "../../../index.js";
import {
  withClusterOptions,
  withJsonOption,
  type ClusterFlags,
  type JsonFlag,
} from "../../options.js";
import { perform, printJson, printLines } from "../../perform.js";
import { table } from "../../table.js";
import { formatBytes } from "../../units.js";
import { imagesOf } from "./images-of.js";

export function registerImageList(image: Command): void {
  const list = image
    .command("list")
    .alias("ls")
    .summary("list images, and what uses them")
    .description("Lists the images of the cluster, with what they take and which pods use them.");
  withJsonOption(withClusterOptions(list)).action(async (_flags, self: Command) => {
    const flags = self.optsWithGlobals<ClusterFlags & JsonFlag>();
    await perform(flags, (signal) => runList(flags, signal));
  });
}

async function runList(flags: ClusterFlags & JsonFlag, signal: AbortSignal): Promise<void> {
  const images = await (await imagesOf(flags)).list(signal);
  if (flags.json) return printJson(images);
  printLines(
    table([
      ["NAME", "DIGEST", "SIZE", "UNPACKED", "USED BY"],
      ...images.map((image) => [
        image.name,
        image.digest.slice(0, 19),
        formatBytes(image.sizeBytes),
        formatBytes(image.unpackedBytes),
        usersOf(image),
      ]),
    ]),
  );
}

/** The first pod and the number of the others. */
function usersOf({ pods, needed }: ImageInfo): string {
  if (needed) return "every pod";
  const [first = "-", ...others] = pods;
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}
