import type { Command } from "commander";
import {
  clusterReference,
  withClusterOptions,
  withJsonOption,
  type ClusterFlags,
  type JsonFlag,
} from "../options.js";
import { perform, printJson, printLines } from "../perform.js";
import { table } from "../table.js";
import { formatBytes } from "../units.js";

type ImageFlags = ClusterFlags & JsonFlag;

export function registerImage(program: Command): void {
  const image = program
    .command("image")
    .summary("load and list container images")
    .description("Brings container images to the cluster and lists them.");
  const load = image
    .command("load")
    .description(
      "Loads the images of an archive: what `docker save` writes, or an OCI layout in a tar file; - reads standard input.",
    )
    .argument("<archive...>", "path of the archive, or -");
  withJsonOption(withClusterOptions(load)).action(
    async (archives: string[], _flags, self: Command) => {
      const flags = self.optsWithGlobals<ImageFlags>();
      await perform(flags, (signal) => runLoad(archives, flags, signal));
    },
  );
  const list = image.command("list").alias("ls").description("Lists the images of the cluster.");
  withJsonOption(withClusterOptions(list)).action(async (_flags, self: Command) => {
    const flags = self.optsWithGlobals<ImageFlags>();
    await perform(flags, (signal) => runList(flags, signal));
  });
}

async function runLoad(archives: string[], flags: ImageFlags, signal: AbortSignal): Promise<void> {
  const { connectCluster } = await import("../../index.js");
  const { name, ...surroundings } = clusterReference(flags);
  const { images } = await connectCluster(name, surroundings);
  const loaded = [];
  for (const archive of archives) {
    loaded.push(...(await images.load(archive === "-" ? process.stdin : archive, { signal })));
  }
  if (flags.json) return printJson(loaded);
  printLines(loaded.map((image) => `Loaded ${image.name}`));
}

async function runList(flags: ImageFlags, signal: AbortSignal): Promise<void> {
  const { connectCluster } = await import("../../index.js");
  const { name, ...surroundings } = clusterReference(flags);
  const images = await (await connectCluster(name, surroundings)).images.list(signal);
  if (flags.json) return printJson(images);
  printLines(
    table([
      ["NAME", "DIGEST", "SIZE"],
      ...images.map((image) => [
        image.name,
        image.digest.slice(0, 19),
        formatBytes(image.sizeBytes),
      ]),
    ]),
  );
}
