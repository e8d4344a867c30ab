import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cached, entryPath, type Recipe } from "../../lab/src/cache.js";
import { requireOnHost } from "../../lab/src/host-command.js";
import { goBuild, runtimeStamps } from "../../scripts/programs/go-build.js";
import { repositoryPath } from "../../scripts/programs/repository.js";
import { requireStaticProgram } from "../../scripts/programs/static-program.js";
import { readVersions } from "../../scripts/programs/versions.js";
import { compileTest, moduleRecipe } from "./compile-test.js";

/** The Go module that pins the suite and the programs of its images. */
export const suiteModule = repositoryPath("conformance/suite");

/** Kubernetes' end-to-end tests as a program, on this machine. */
export interface Suite {
  readonly directory: string;
  /** Path of the program, in `directory`. */
  readonly program: string;
  /** Path of Ginkgo's command line, in `directory`, which starts the suite's parallel processes. */
  readonly ginkgo: string;
  /** Full names of all images that the suite knows, with registry, path and tag. */
  readonly images: readonly string[];
}

const cacheName = "conformance-suite";
const packagePath = "k8s.io/kubernetes/test/e2e";
const programName = "e2e.test";
const ginkgoPath = "github.com/onsi/ginkgo/v2/ginkgo";
const ginkgoName = "ginkgo";
const imageList = "images.txt";
const listTimeoutMs = 60_000;

/** Builds the suite if it is not in the cache yet. `report` is told what takes long. */
export async function conformanceSuite(
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<Suite> {
  const stamps = runtimeStamps(readVersions());
  const directory = await cached({
    name: cacheName,
    recipe: await suiteRecipe(),
    signal,
    build: async (scratch) => {
      report(`building ${programName} (12 minutes on two cores when it is the first time)`);
      const building = join(scratch, `${programName}.building`);
      const test = { module: suiteModule, package: packagePath, output: building };
      await compileTest({ ...test, linkerFlags: stamps, signal });
      await requireStaticProgram(building);
      const ginkgo = join(scratch, ginkgoName);
      await goBuild({ module: suiteModule, package: ginkgoPath, output: ginkgo });
      const list = { signal, timeoutMs: listTimeoutMs };
      await writeFile(
        join(scratch, imageList),
        await requireOnHost([building, "--list-images"], list),
      );
      await rename(building, join(scratch, programName));
    },
  });
  const images = (await readFile(join(directory, imageList), "utf8")).trim().split("\n");
  return {
    directory,
    program: join(directory, programName),
    ginkgo: join(directory, ginkgoName),
    images,
  };
}

/** Whether {@link conformanceSuite} finds the suite in the cache. */
export async function suiteIsBuilt(): Promise<boolean> {
  return existsSync(entryPath(cacheName, await suiteRecipe()));
}

async function suiteRecipe(): Promise<Recipe> {
  return { form: 2, ...(await suiteModuleRecipe()), stamps: runtimeStamps(readVersions()) };
}

/** What everything that is built from the suite's module depends on. */
export function suiteModuleRecipe(): Promise<Record<string, string>> {
  return moduleRecipe(suiteModule);
}
