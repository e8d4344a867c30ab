/**
 * Bundles the package sandkube: the library and the command line, with what they depend on, in few
 * files. To load them as a hundred modules takes longer than all else that the command line does in a
 * sandbox whose file system is another process.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "rolldown";
import { repositoryPath } from "./programs/repository.js";

const directory = repositoryPath("packages/sandkube");

/** Writes the licences of the packages that the bundle has code of. */
const thirdPartyNotices: Plugin = {
  name: "third-party-notices",
  generateBundle(_options, bundle) {
    const modules = Object.values(bundle).flatMap((file) =>
      file.type === "chunk" ? file.moduleIds : [],
    );
    const packages = new Set(modules.flatMap((module) => packageDirectory(module) ?? []));
    const notices = [...packages].toSorted().map(noticeOf);
    const heading = "The files in this directory contain code of these packages.\n";
    this.emitFile({
      type: "asset",
      fileName: "THIRD-PARTY-NOTICES.txt",
      source: [heading, ...notices].join(`\n${"-".repeat(72)}\n\n`),
    });
  },
};

/** The directory of the npm package that a module is from; null for the project's own. */
function packageDirectory(module: string): string | null {
  return /^\/.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(module)?.[0] ?? null;
}

function noticeOf(directory: string): string {
  const manifest = readFileSync(join(directory, "package.json"), "utf8");
  const { name, version, license } = JSON.parse(manifest) as Record<string, string>;
  const file = ["LICENSE", "LICENSE.md", "LICENCE"]
    .map((candidate) => join(directory, candidate))
    .find((candidate) => existsSync(candidate));
  if (file === undefined)
    throw new Error(`the package ${name} in ${directory} has no licence file`);
  return `${name} ${version} (${license})\n\n${readFileSync(file, "utf8").trim()}\n`;
}

/**
 * commander loads `node:child_process` for subcommands that are programs of their own. sandkube has
 * none, and the module would be a tenth of what `--help` does.
 */
const noProgramsAsSubcommands: Plugin = {
  name: "no-programs-as-subcommands",
  resolveId: (source, importer) =>
    source === "node:child_process" && importer?.includes("/node_modules/commander/")
      ? "\0no-child-process"
      : null,
  load: (id) => (id === "\0no-child-process" ? "export {};" : null),
};

await build({
  cwd: directory,
  input: { index: "src/index.ts", quick: "src/quick.ts", "cli/main": "src/cli/main.ts" },
  platform: "node",
  transform: { target: "node20.19" },
  // What yaml has for Node is CommonJS, of which nothing can be left out.
  resolve: { alias: { yaml: repositoryPath("node_modules/yaml/browser/index.js") } },
  plugins: [thirdPartyNotices, noProgramsAsSubcommands],
  output: { dir: "dist", chunkFileNames: "chunks/[name].js", cleanDir: true, sourcemap: true },
});
