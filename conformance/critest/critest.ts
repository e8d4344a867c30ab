import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "../../lab/src/cache.js";
import { repositoryPath } from "../../scripts/programs/repository.js";
import { requireStaticProgram } from "../../scripts/programs/static-program.js";
import { compileTest, moduleRecipe } from "../suite/compile-test.js";

/** The Go module that pins critest. */
export const critestModule = repositoryPath("conformance/critest");
export const criTools = "sigs.k8s.io/cri-tools";

/** The validation tests of the Container Runtime Interface as a program, on this machine. */
export interface Critest {
  readonly directory: string;
  /** Path of the program, in `directory`. */
  readonly program: string;
}

/** The pinned version of cri-tools, such as "v1.36.0". */
export async function criToolsVersion(): Promise<string> {
  const module = await readFile(join(critestModule, "go.mod"), "utf8");
  const version = /^require sigs\.k8s\.io\/cri-tools (v\S+)/m.exec(module)?.[1];
  if (version === undefined) throw new Error(`${critestModule}/go.mod pins no ${criTools}`);
  return version;
}

/** Builds critest, as its Makefile does, if it is not in the cache yet. */
export async function critestProgram(
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<Critest> {
  const version = await criToolsVersion();
  const linkerFlags = [`-X=${criTools}/pkg/version.Version=${version.slice(1)}`];
  const directory = await cached({
    name: "conformance-critest",
    recipe: { form: 1, ...(await moduleRecipe(critestModule)), linkerFlags },
    signal,
    build: async (scratch) => {
      report("building critest (a minute when it is the first time)");
      const output = join(scratch, "critest.building");
      const test = { module: critestModule, package: `${criTools}/cmd/critest`, output };
      await compileTest({ ...test, linkerFlags, signal });
      await requireStaticProgram(output);
      await rename(output, join(scratch, "critest"));
    },
  });
  return { directory, program: join(directory, "critest") };
}
