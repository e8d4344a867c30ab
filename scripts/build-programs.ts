/**
 * Builds the programs that sandkube runs from pinned Go modules into a cache outside the checkout,
 * writes the directory's path to `.programs` and prints it. What is there already is not built again.
 * With `--arch arm64` or `x64` it builds them for that processor and leaves `.programs` as it is; with
 * `--tool NAME` it builds a tool that is not shipped, and prints the tool's path.
 */
import { readFile, rename, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { architectureNamed } from "./programs/architecture.js";
import { buildPrograms, buildTool } from "./programs/build.js";
import { repositoryPath } from "./programs/repository.js";

const pointer = repositoryPath(".programs");

/** Replaces the pointer as a whole, so that a reader never sees half a path. */
async function pointAt(directory: string): Promise<void> {
  const line = `${directory}\n`;
  if ((await readFile(pointer, "utf8").catch(() => "")) === line) return;
  const temporary = `${pointer}.${process.pid}`;
  await writeFile(temporary, line);
  await rename(temporary, pointer);
}

const write = (line: string) => void process.stderr.write(`${line}\n`);
try {
  const { values } = parseArgs({ options: { tool: { type: "string" }, arch: { type: "string" } } });
  if (values.tool !== undefined) {
    process.stdout.write(`${await buildTool(values.tool, write)}\n`);
  } else if (values.arch !== undefined) {
    process.stdout.write(`${await buildPrograms(write, architectureNamed(values.arch))}\n`);
  } else {
    const directory = await buildPrograms(write);
    await pointAt(directory);
    process.stdout.write(`${directory}\n`);
  }
} catch (error) {
  write(`build-programs: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
