import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "../../lab/src/cache.js";
import { buildTool } from "../../scripts/programs/build.js";
import { goBuild, goModuleDirectory } from "../../scripts/programs/go-build.js";
import { readVersions } from "../../scripts/programs/versions.js";
import { suiteModule, suiteModuleRecipe } from "../suite/suite.js";
import { archiveName, writeArchive } from "./archive.js";
import { catalogue, osRelease } from "./catalogue.js";
import type { ImageParts } from "./image.js";
import { userlands, type Userlands } from "./userland.js";

/** Images of the suite as archives on this machine. */
export interface ConformanceImages {
  readonly directory: string;
  /** File names in `directory`. */
  readonly archives: readonly string[];
  /** Further names of images, by the name of an archive's image or of one that every node has. */
  readonly aliases: readonly (readonly [image: string, alias: string])[];
  /** Hosts of the registries that the suite's images lie in upstream. */
  readonly registries: readonly string[];
}

/**
 * Makes those of the suite's images that can be had without a registry, if they are not in the cache
 * yet. `references` are the full names that the suite gives them.
 */
export async function conformanceImages(
  references: readonly string[],
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<ConformanceImages> {
  const versions = Object.keys(catalogue).map((name) => referencesOf(name, references));
  const made = Object.entries(catalogue).flatMap(([name, recipe]) => {
    const [reference] = referencesOf(name, references);
    return reference === undefined ? [] : [{ reference, recipe }];
  });
  const imageArchive = await buildTool("image-archive", report);
  const roots = await userlands(signal, report);
  const directory = await cached({
    name: "conformance-images",
    recipe: {
      form: 3,
      ...(await suiteModuleRecipe()),
      imageArchive,
      osRelease: await readFile(osRelease, "utf8"),
      userlands: roots.full,
      recipes: made.map(({ reference, recipe }) => JSON.stringify([reference, recipe(noParts)])),
    },
    signal,
    build: async (entry) => {
      const scratch = join(entry, "parts");
      await mkdir(scratch);
      const parts = await buildParts(scratch, roots, signal, report);
      for (const { reference, recipe } of made) {
        await writeArchive(imageArchive, entry, { reference, ...recipe(parts) }, signal);
      }
      await rm(scratch, { recursive: true });
    },
  });
  const nodesPause = `sandkube.local/pause:${readVersions().components.pause}`;
  return {
    directory,
    archives: made.map(({ reference }) => archiveName(reference)),
    registries: [...new Set(references.map((reference) => reference.replace(/\/.*/, "")))],
    aliases: [[nodesPause, ...referencesOf("pause", references)], ...versions].flatMap(
      ([image = "", ...others]) => others.map((alias) => [image, alias] as const),
    ),
  };
}

/**
 * The references to an image's versions, in the places where Kubernetes publishes its own. Others name
 * images that are not to be had, or only with credentials, which is what their specs are about.
 */
function referencesOf(name: string, references: readonly string[]): string[] {
  const published = /^[^/]+\/(?:e2e-test-images\/)?([^/:]+):/;
  return references.filter((reference) => published.exec(reference)?.[1] === name).toSorted();
}

/** Stands for the parts where only the shape of a recipe counts. */
const noParts: ImageParts = {
  userlands: { full: "", small: "" },
  agnhost: "",
  sampleApiserver: "",
  nonewprivs: "",
  etcd: "",
  sources: "",
};

async function buildParts(
  directory: string,
  userlands: Userlands,
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<ImageParts> {
  const build = async (name: string, path: string): Promise<string> => {
    signal.throwIfAborted();
    report(`building ${name}`);
    const output = join(directory, name);
    await goBuild({ module: suiteModule, package: path, output });
    return output;
  };
  const kubernetes = await goModuleDirectory(suiteModule, "k8s.io/kubernetes");
  return {
    userlands,
    agnhost: await build("agnhost", "k8s.io/kubernetes/test/images/agnhost"),
    sampleApiserver: await build("sample-apiserver", "k8s.io/sample-apiserver"),
    nonewprivs: await build("nonewprivs", "k8s.io/kubernetes/test/images/nonewprivs"),
    etcd: await build("etcd", "go.etcd.io/etcd/server/v3"),
    sources: join(kubernetes, "test/images"),
  };
}
