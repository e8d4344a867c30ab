import { InvalidArgumentError, type Command } from "commander";
import type { BuiltImage, ImageProgressOptions, ImageRecipe } from "../../../index.js";
import {
  withClusterOptions,
  withJsonOption,
  type ClusterFlags,
  type JsonFlag,
} from "../../options.js";
import { perform, printJson, printLines } from "../../perform.js";
import { reportingImages } from "../../reporters/image.js";
import { formatBytes, formatLayers } from "../../units.js";
import { imagesOf } from "./images-of.js";

interface FromFlags extends ClusterFlags, JsonFlag {
  tag: string;
  base: string;
  entrypoint?: string[];
  cmd?: string[];
  env?: string[];
  user?: string;
  workdir?: string;
  label?: Record<string, string>;
  output?: string;
}

export function registerImageFrom(image: Command): void {
  const from = image
    .command("from")
    .summary("make an image of a directory or a program, without Docker")
    .description(
      "Makes an image of local files and gives it to the cluster: one layer on a base. The content of a " +
        "directory becomes the root; a program is put there and is the entry point. The files belong to root.",
    )
    .argument("<source>", "a directory or a program")
    .requiredOption("--tag <image>", "name of the image")
    .option(
      "--base <image>",
      "an image of the cluster to build on; with --output also the path of an archive, such as ./base.tar",
      "scratch",
    )
    .option("--entrypoint <word...>", "the entry point, as words")
    .option("--cmd <word...>", "the default arguments, as words")
    .option("--env <NAME=VALUE...>", "environment variables")
    .option("--user <user>", "user to run as, UID[:GID] or a name of the base")
    .option("--workdir <directory>", "working directory")
    .option("--label <NAME=VALUE...>", "labels", collectLabel)
    .option(
      "-o, --output <file>",
      "write an archive instead; no cluster is needed unless the base is an image of it",
    );
  withJsonOption(withClusterOptions(from)).action(async (source: string, _flags, self: Command) => {
    const flags = self.optsWithGlobals<FromFlags>();
    await perform(flags, (signal) => runFrom(source, flags, signal));
  });
}

function collectLabel(text: string, labels: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError("It must be of the form NAME=VALUE.");
  }
  return { ...labels, [name]: value };
}

/** Makes the image without a cluster where that is possible. */
async function build(
  recipe: ImageRecipe,
  flags: FromFlags,
  options: ImageProgressOptions,
): Promise<BuiltImage> {
  const { buildImageArchive, needsNoCluster } = await import("../../../index.js");
  if (needsNoCluster(recipe)) return await buildImageArchive(recipe, options);
  return await (await imagesOf(flags)).build(recipe, options);
}

async function runFrom(source: string, flags: FromFlags, signal: AbortSignal): Promise<void> {
  const recipe = {
    source,
    tag: flags.tag,
    base: flags.base,
    entrypoint: flags.entrypoint,
    command: flags.cmd,
    env: flags.env,
    user: flags.user,
    workingDirectory: flags.workdir,
    labels: flags.label,
    output: flags.output,
  };
  const built = await reportingImages(flags, (onProgress) =>
    build(recipe, flags, { signal, onProgress }),
  );
  if (flags.json) return printJson(built);
  for (const warning of built.warnings) process.stderr.write(`Warning: ${warning}\n`);
  const where = built.output === undefined ? "Loaded" : "Saved";
  printLines([
    `${where} ${built.name} (${formatLayers(built.layers)}, ${formatBytes(built.sizeBytes)})`,
  ]);
}
