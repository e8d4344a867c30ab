/**
 * `npm run pack`: makes the packages that are published, as files in `dist/packages` (or `--out DIR`):
 * `sandkube`, and one with the programs for this machine's processor, for those that `--arch` names, or
 * with `--all` for every one. Builds what is missing; prints each file with its size.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { packPackages } from "./packages/pack.js";
import { megabytes } from "./packages/tarball.js";
import {
  architectureNamed,
  architectures,
  hostArchitecture,
  type Architecture,
} from "./programs/architecture.js";
import { buildPrograms } from "./programs/build.js";
import { run } from "./programs/command.js";
import { repositoryPath } from "./programs/repository.js";

const write = (line: string) => void process.stderr.write(`${line}\n`);

function chosen(all: boolean, named: readonly string[]): readonly Architecture[] {
  if (all) return architectures;
  return named.length === 0 ? [hostArchitecture()] : named.map(architectureNamed);
}

try {
  const { values } = parseArgs({
    options: {
      all: { type: "boolean", default: false },
      arch: { type: "string", multiple: true, default: [] },
      out: { type: "string", default: repositoryPath("dist/packages") },
    },
  });
  await run(["npm", "run", "--silent", "build"], { cwd: repositoryPath(".") });
  const programs = new Map<Architecture, string>();
  for (const architecture of chosen(values.all, values.arch)) {
    programs.set(architecture, await buildPrograms(write, architecture));
  }
  write("packing, which takes about half a minute for each processor");
  for (const { path, sizeBytes } of await packPackages({ programs, output: resolve(values.out) })) {
    process.stdout.write(`${path}  ${megabytes(sizeBytes)}\n`);
  }
} catch (error) {
  write(`pack: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
