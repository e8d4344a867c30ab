import { join } from "node:path";
import { cached } from "../../lab/src/cache.js";
import { requireOnHost } from "../../lab/src/host-command.js";
import { buildTool } from "../../scripts/programs/build.js";
import { contentKey } from "../../scripts/programs/content-key.js";
import { goBuild, goVersion } from "../../scripts/programs/go-build.js";
import { goSources } from "../../scripts/programs/go-sources.js";
import { repositoryPath } from "../../scripts/programs/repository.js";

/** The load generator and its server on this machine. */
export interface NetloadImage {
  /** Holds both files, for the sandbox. */
  readonly directory: string;
  /** File name of the image's archive. */
  readonly archive: string;
  /** File name of the program itself. */
  readonly program: string;
}

const sources = "bench/network/load";
const buildTimeoutMs = 60_000;
const names = { archive: "netload.tar", program: "netload" } as const;

/** Builds the program and an image with nothing else in it, unless both are in the cache. */
export async function netloadImage(
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<NetloadImage> {
  const imageArchive = await buildTool("image-archive", report);
  const module = repositoryPath(sources);
  const directory = await cached({
    name: "bench-network",
    recipe: {
      form: 1,
      imageArchive,
      sources: await contentKey({ files: await goSources(sources), facts: [] }),
      go: await goVersion(module),
    },
    signal,
    build: async (scratch) => {
      const program = join(scratch, names.program);
      await goBuild({ module, package: ".", output: program });
      await requireOnHost(
        [
          imageArchive,
          ...["-o", join(scratch, names.archive), "-ref", "sandkube.local/netload:1"],
          ...["-file", `${program}:/bin/netload:0755`, "-entrypoint", "netload"],
          ...["-env", "PATH=/bin"],
        ],
        { signal, timeoutMs: buildTimeoutMs },
      );
    },
  });
  return { directory, ...names };
}
