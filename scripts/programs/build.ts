import { chmod, rename } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { hostArchitecture, type Architecture } from "./architecture.js";
import { lockCache } from "./build-lock.js";
import { catalogue } from "./catalogue.js";
import { contentKey } from "./content-key.js";
import { ProgramCache } from "./program-cache.js";
import type { BuildContext, Program } from "./program.js";
import { Progress } from "./progress.js";
import { requireStaticProgram } from "./static-program.js";
import { readVersions } from "./versions.js";

/** A program and the place where its result is or will be. */
interface Part {
  readonly program: Program;
  readonly key: string;
  readonly path: string;
}

/**
 * Builds all programs for a processor that are not in the cache yet and returns the programs
 * directory. Several may run at once: one builds, the others wait for it.
 */
export async function buildPrograms(
  write: (line: string) => void,
  architecture: Architecture = hostArchitecture(),
): Promise<string> {
  const versions = readVersions();
  const cache = new ProgramCache();
  const parts = await keyed(await catalogue(versions, architecture), cache);
  const shipped = parts.filter(({ program }) => program.shipped);
  const key = await contentKey({
    files: ["runtime/versions.json", "scripts/programs/program-cache.ts"],
    facts: shipped.map((part) => part.key),
  });
  const found = await cache.find(key);
  if (found !== null) return found;

  const progress = new Progress(write);
  await cache.create();
  await using _lock = await lockCache(cache.lockFile, () =>
    progress.note("waiting for another build to finish"),
  );
  const foundMeanwhile = await cache.find(key);
  if (foundMeanwhile !== null) return foundMeanwhile;
  await cache.removeAbandonedWork();
  await buildMissing(parts, cache, progress, architecture);
  const files = new Map(shipped.map(({ program, path }) => [program.name, path]));
  const directory = await cache.assemble(key, versions, architecture, files);
  await cache.prune(new Set(parts.map(({ path }) => path)));
  return directory;
}

/** Builds one result, with what it needs, and returns its path: for tools that are not shipped. */
export async function buildTool(name: string, write: (line: string) => void): Promise<string> {
  const cache = new ProgramCache();
  const architecture = hostArchitecture();
  const programs = await catalogue(readVersions(), architecture);
  const wanted = programs.find((program) => program.name === name);
  if (wanted === undefined) throw new Error(`there is no program ${name}`);
  const used = programs.filter((program) => wanted.uses?.includes(program.name));
  const parts = await keyed([...used, wanted], cache);
  const path = pathOf(name, parts);
  if (existsSync(path)) return path;
  const progress = new Progress(write);
  await cache.create();
  await using _lock = await lockCache(cache.lockFile, () =>
    progress.note("waiting for another build to finish"),
  );
  await buildMissing(parts, cache, progress, architecture);
  return path;
}

async function keyed(programs: readonly Program[], cache: ProgramCache): Promise<Part[]> {
  return await Promise.all(
    programs.map(async (program) => {
      const key = await keyOf(program);
      return { program, key, path: cache.part(program.name, key) };
    }),
  );
}

async function keyOf(program: Program): Promise<string> {
  const { files, facts } = await program.recipe();
  return await contentKey({ files, facts: [program.name, ...facts] });
}

async function buildMissing(
  parts: readonly Part[],
  cache: ProgramCache,
  progress: Progress,
  architecture: Architecture,
): Promise<void> {
  const missing = parts.filter(({ path }) => !existsSync(path));
  if (missing.length === 0) return;
  progress.begin(missing.map(({ program }) => program));
  for (const part of missing) {
    await progress.during(part.program, () =>
      buildPart(part, parts, cache, progress, architecture),
    );
  }
}

async function buildPart(
  { program, key, path }: Part,
  parts: readonly Part[],
  cache: ProgramCache,
  progress: Progress,
  architecture: Architecture,
): Promise<void> {
  await cache.withScratch(async (scratch) => {
    const output = join(scratch, "output");
    const context: BuildContext = {
      output,
      scratch,
      resultOf: (name) => pathOf(name, parts),
      report: (message) => progress.note(message),
    };
    await program.build(context);
    if ((await keyOf(program)) !== key) {
      throw new Error(`the sources of ${program.name} changed while it was built: run this again`);
    }
    const target = program.shipped ? architecture : hostArchitecture();
    if (program.executable) await requireStaticProgram(output, target);
    await chmod(output, program.executable ? 0o755 : 0o644);
    await rename(output, path);
  });
}

function pathOf(name: string, parts: readonly Part[]): string {
  const part = parts.find(({ program }) => program.name === name);
  if (part === undefined) throw new Error(`${name} is not among what is built`);
  return part.path;
}
