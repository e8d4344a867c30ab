import type { Command } from "commander";
import {
  withClusterOptions,
  withJsonOption,
  type ClusterFlags,
  type JsonFlag,
} from "../../options.js";
import { perform, printJson, printLines } from "../../perform.js";
import { reportingImages } from "../../reporters/image.js";
import { formatBytes } from "../../units.js";
import { imagesOf } from "./images-of.js";

interface SaveFlags extends ClusterFlags, JsonFlag {
  output: string;
}

export function registerImageSave(image: Command): void {
  const save = image
    .command("save")
    .summary("write images into an archive")
    .description("Writes images into one archive, which `image load`, Docker and OCI tools read.")
    .argument("<image...>", "names of images")
    .requiredOption("-o, --output <file>", "file to write; - is standard output");
  withJsonOption(withClusterOptions(save)).action(
    async (names: string[], _flags, self: Command) => {
      const flags = self.optsWithGlobals<SaveFlags>();
      await perform(flags, (signal) => runSave(names, flags, signal));
    },
  );
}

async function runSave(names: string[], flags: SaveFlags, signal: AbortSignal): Promise<void> {
  const images = await imagesOf(flags);
  const toOutput = flags.output === "-";
  const saved = await reportingImages(flags, (onProgress) =>
    images.save(names, toOutput ? { standardOutput: true } : flags.output, { signal, onProgress }),
  );
  if (toOutput) return;
  if (flags.json) return printJson({ ...saved, output: flags.output });
  printLines([`Saved ${saved.names.join(", ")} (${formatBytes(saved.sizeBytes)})`]);
}
