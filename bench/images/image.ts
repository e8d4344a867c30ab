import { join } from "node:path";
import { cached } from "../../lab/src/cache.js";
import { requireOnHost } from "../../lab/src/host-command.js";
import { contentKey } from "../../scripts/programs/content-key.js";
import { goBuild, goVersion } from "../../scripts/programs/go-build.js";
import { goSources } from "../../scripts/programs/go-sources.js";
import { repositoryPath } from "../../scripts/programs/repository.js";

/** How the layers of the large image are compressed. */
export const compressions = ["plain", "gzip"] as const;
export type Compression = (typeof compressions)[number];

/** The program that makes and serves the image; it lies beside what it has made. */
export const largeProgram = "large";
/** The image's name as archives have it. */
export const largeName = "sandkube.local/large:1";

const sources = "bench/images/large";
const makeTimeoutMs = 5 * 60_000;

/** The directory of the large image in all its forms, made unless it is in the cache. */
export async function largeImage(signal: AbortSignal): Promise<string> {
  const module = repositoryPath(sources);
  return await cached({
    name: "bench-images",
    recipe: {
      form: 1,
      sources: await contentKey({ files: await goSources(sources), facts: [] }),
      go: await goVersion(module),
    },
    signal,
    build: async (scratch) => {
      const program = join(scratch, largeProgram);
      await goBuild({ module, package: ".", output: program });
      await requireOnHost([program, "make", scratch], { signal, timeoutMs: makeTimeoutMs });
    },
  });
}
