import type { Command } from "commander";
import type { LoadedImage } from "../../../index.js";
import {
  withClusterOptions,
  withJsonOption,
  withUnpackLimitOption,
  type ClusterFlags,
  type JsonFlag,
} from "../../options.js";
import { perform, printJson, printLines } from "../../perform.js";
import { reportingImages } from "../../reporters/image.js";
import { formatBytes, formatDuration, formatLayers } from "../../units.js";
import { imagesOf } from "./images-of.js";

interface LoadFlags extends ClusterFlags, JsonFlag {
  tag?: string;
  unpackLimit?: number;
}

export function registerImageLoad(image: Command): void {
  const load = image
    .command("load")
    .summary("load images from files")
    .description(
      "Loads the images of archives: what `docker save` writes, or an OCI layout as a directory or " +
        "in a tar file; plain, gzip or zstd. - reads standard input. An archive is loaded whole or not at all.",
    )
    .argument("<archive...>", "path of an archive or a directory, or -")
    .option("--tag <image>", "name for an archive's only image");
  withJsonOption(withClusterOptions(withUnpackLimitOption(load))).action(
    async (archives: string[], _flags, self: Command) => {
      const flags = self.optsWithGlobals<LoadFlags>();
      await perform(flags, (signal) => runLoad(archives, flags, signal));
    },
  );
}

async function runLoad(archives: string[], flags: LoadFlags, signal: AbortSignal): Promise<void> {
  const images = await imagesOf(flags);
  const all: LoadedImage[] = [];
  for (const archive of archives) {
    const startMs = performance.now();
    const loaded = await reportingImages(flags, (onProgress) =>
      images.load(archive === "-" ? { standardInput: true } : archive, {
        tag: flags.tag,
        unpackLimitBytes: flags.unpackLimit,
        signal,
        onProgress,
      }),
    );
    all.push(...loaded);
    if (flags.json) continue;
    const elapsedMs = performance.now() - startMs;
    printLines(loaded.map((image) => `Loaded ${image.name} (${describe(image, elapsedMs)})`));
  }
  if (flags.json) printJson(all);
}

function describe({ layers, sizeBytes }: LoadedImage, elapsedMs: number): string {
  const parts = [
    formatLayers(layers),
    formatBytes(sizeBytes),
    formatDuration(elapsedMs),
    `${formatBytes((sizeBytes / elapsedMs) * 1_000)}/s`,
  ];
  return parts.join(", ");
}
