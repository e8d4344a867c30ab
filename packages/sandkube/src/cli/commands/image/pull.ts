import type { Command } from "commander";
import type { ProgressListener, PulledImage } from "../../../index.js";
import { accountOf, withAccountOptions, type AccountFlags } from "../../account.js";
import {
  withClusterOptions,
  withJsonOption,
  withUnpackLimitOption,
  type ClusterFlags,
  type JsonFlag,
} from "../../options.js";
import { perform, printLines, printResultLine } from "../../perform.js";
import { reportingImages } from "../../reporters/image.js";
import { reporting } from "../../reporters/reporter.js";
import { formatBytes, formatDuration } from "../../units.js";
import { imagesOf } from "./images-of.js";

interface PullFlags extends ClusterFlags, JsonFlag, AccountFlags {
  platform?: string;
  insecure?: boolean;
  unpackLimit?: number;
}

export function registerImagePull(image: Command): void {
  const pull = image
    .command("pull")
    .summary("pull images from registries")
    .description(
      "Pulls images as the kubelet would: by the mirrors, certificates and proxies that the cluster was started with. " +
        "An account is taken from the options, registries.yaml or docker's config.json.",
    )
    .argument("<reference...>", "names of images, with a tag or a digest")
    .option("--platform <os/arch>", "the platform to pull for (default: this machine's)")
    .option("--insecure", "accept any certificate, and HTTP where there is no TLS");
  withAccountOptions(withJsonOption(withClusterOptions(withUnpackLimitOption(pull)))).action(
    async (references: string[], _flags, self: Command) => {
      const flags = self.optsWithGlobals<PullFlags>();
      await perform(flags, (signal) => runPull(references, flags, signal));
    },
  );
}

async function runPull(references: string[], flags: PullFlags, signal: AbortSignal): Promise<void> {
  const account = await accountOf(flags);
  const images = await imagesOf(flags);
  for (const reference of references) {
    const startMs = performance.now();
    const work = (onProgress: ProgressListener) =>
      images.pull(reference, {
        platform: flags.platform,
        insecure: flags.insecure,
        unpackLimitBytes: flags.unpackLimit,
        account,
        signal,
        onProgress,
      });
    if (flags.json) {
      const pulled = await reporting({ json: true }, work);
      printResultLine({ type: "result", command: "image pull", ...pulled });
    } else {
      const pulled = await reportingImages(flags, work);
      printLines([describe(pulled, performance.now() - startMs)]);
    }
  }
}

function describe({ name, digest, sizeBytes }: PulledImage, elapsedMs: number): string {
  const rate = formatBytes(Math.round((sizeBytes / elapsedMs) * 1_000));
  return `Pulled ${name} (${digest.slice(0, 19)}, ${formatBytes(sizeBytes)}, ${formatDuration(elapsedMs)}, ${rate}/s)`;
}
