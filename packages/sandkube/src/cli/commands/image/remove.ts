import type { Command } from "commander";
import {
  withClusterOptions,
  withJsonOption,
  type ClusterFlags,
  type JsonFlag,
} from "../../options.js";
import { perform, printJson, printLines } from "../../perform.js";
import { formatBytes } from "../../units.js";
import { imagesOf } from "./images-of.js";

type Flags = ClusterFlags & JsonFlag;

export function registerImageTag(image: Command): void {
  const tag = image
    .command("tag")
    .summary("give an image another name")
    .description("Gives an image another name.")
    .argument("<image>", "name of the image")
    .argument("<name>", "name that it gets too");
  withJsonOption(withClusterOptions(tag)).action(
    async (source: string, target: string, _flags, self: Command) => {
      const flags = self.optsWithGlobals<Flags>();
      await perform(flags, async (signal) => {
        const name = await (await imagesOf(flags)).tag(source, target, signal);
        if (flags.json) return printJson({ name });
        printLines([`Tagged ${name}`]);
      });
    },
  );
}

export function registerImageRemove(image: Command): void {
  const remove = image
    .command("rm")
    .summary("remove images")
    .description(
      "Takes names from images. An image without a name goes, unless a pod has a container of it.",
    )
    .argument("<image...>", "names of images")
    .option("--force", "take the names of used images too; what their containers need stays");
  withJsonOption(withClusterOptions(remove)).action(
    async (names: string[], _flags, self: Command) => {
      const flags = self.optsWithGlobals<Flags & { force?: boolean }>();
      await perform(flags, async (signal) => {
        const images = await imagesOf(flags);
        report(flags, await images.remove(names, { force: flags.force, signal }));
      });
    },
  );
}

export function registerImagePrune(image: Command): void {
  const prune = image
    .command("prune")
    .summary("remove what is not used")
    .description("Removes what interrupted commands left behind.")
    .option("--all", "also remove every image that no pod of the cluster uses");
  withJsonOption(withClusterOptions(prune)).action(async (_flags, self: Command) => {
    const flags = self.optsWithGlobals<Flags & { all?: boolean }>();
    await perform(flags, async (signal) => {
      report(flags, await (await imagesOf(flags)).prune({ all: flags.all, signal }));
    });
  });
}

function report(flags: Flags, removed: { names: string[]; freedBytes: number }): void {
  if (flags.json) return printJson(removed);
  printLines([
    ...removed.names.map((name) => `Removed ${name}`),
    `Freed ${formatBytes(removed.freedBytes)}`,
  ]);
}
