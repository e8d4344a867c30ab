import { chmod, cp, mkdir, readFile, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "../../lab/src/cache.js";
import { goBuild, goModuleDirectory } from "../../scripts/programs/go-build.js";
import { extractPackages } from "../images/userland.js";
import { suiteModule, suiteModuleRecipe } from "../suite/suite.js";
import { groupsIn } from "./groups.js";

/** Kubernetes' command-line tests, ready to be copied to where they run. */
export interface CommandLineSuite {
  readonly directory: string;
  /** Names of the groups of tests, in the order in which upstream runs them. */
  readonly groups: readonly string[];
}

/** What of Kubernetes' repository the tests read. */
const sources = [
  "hack/lib",
  "hack/testdata",
  "test/cmd",
  "test/e2e/testing-manifests",
  "test/fixtures",
  "third_party/forked/shell2junit",
];
const legacyScript = "test/cmd/legacy-script.sh";
const programs = "_output/bin";

/** Programs of Debian that the tests use and that a small sandbox may lack, with what they link. */
const tools = ["curl", "jq"];
const toolsRoot = "_output/tools";

/** kubectl without the time that sandkube's command line takes. */
const kubectl = `#!/bin/sh\nexec "$SANDKUBE_PROGRAMS/sandkube-runtime" kubectl "$@"\n`;

/** Starts one of the tools, with the libraries beside it. */
const toolLauncher = `#!/bin/sh
root=$(cd "$(dirname "$0")/../tools" && pwd)
libraries=$(echo "$root"/lib/*-linux-gnu "$root"/usr/lib/*-linux-gnu | tr ' ' :)
exec "$root"/lib*/ld-linux-*.so.* --library-path "$libraries" "$root/usr/bin/$(basename "$0")" "$@"
`;

/** Takes the tests from Kubernetes' module, and builds kubectl-convert, if they are not in the cache yet. */
export async function commandLineSuite(
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<CommandLineSuite> {
  const directory = await cached({
    name: "conformance-kubectl",
    recipe: { form: 1, ...(await suiteModuleRecipe()), sources, tools, kubectl, toolLauncher },
    signal,
    build: async (scratch) => {
      report("building kubectl-convert");
      const kubernetes = await goModuleDirectory(suiteModule, "k8s.io/kubernetes");
      for (const path of sources) {
        await cp(join(kubernetes, path), join(scratch, path), { recursive: true });
      }
      // Go's module cache is read-only, and has no file that may be executed.
      await makeUsable(scratch);
      await mkdir(join(scratch, programs), { recursive: true });
      await writeFile(join(scratch, programs, "kubectl"), kubectl, { mode: 0o755 });
      await extractPackages(join(scratch, toolsRoot), tools, signal);
      for (const tool of tools) {
        await writeFile(join(scratch, programs, tool), toolLauncher, { mode: 0o755 });
      }
      const building = join(scratch, "kubectl-convert");
      await goBuild({
        module: suiteModule,
        package: "k8s.io/kubernetes/cmd/kubectl-convert",
        output: building,
      });
      await rename(building, join(scratch, programs, "kubectl-convert"));
    },
  });
  return { directory, groups: groupsIn(await readFile(join(directory, legacyScript), "utf8")) };
}

async function makeUsable(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), 0o755);
  }
}
