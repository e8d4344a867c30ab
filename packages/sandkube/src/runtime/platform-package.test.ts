import * as fs from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { temporaryDirectory } from "../platform/testing/temporary-directory.js";
import { explainAbsence } from "./platform-package.js";

const version = "1.2.3";
const wanted = "@sandkube/runtime-linux-x64@1.2.3";

let project: string;
/** Where sandkube lies in the project. */
let directory: string;

beforeEach(async () => {
  project = await temporaryDirectory();
  directory = join(project, "node_modules", "sandkube");
  await fs.mkdir(directory, { recursive: true });
  await fs.writeFile(join(project, "package.json"), "{}");
});

describe("the absence of the platform package is explained", () => {
  test("by what was left out, when nothing else speaks", async () => {
    expect(await explainAbsence("x64", version, directory)).toEqual({
      cause: expect.stringContaining("--omit=optional") as string,
      command: `npm install --include=optional --save-optional ${wanted}`,
    });
  });

  test("by a lock file that does not name it", async () => {
    const lock = join(project, "package-lock.json");
    await fs.writeFile(lock, '{"packages":{"node_modules/sandkube":{}}}');
    expect((await explainAbsence("x64", version, directory))?.cause).toContain(
      `${lock} was made on another platform`,
    );
    await fs.writeFile(lock, '{"node_modules/sandkube":{},"@sandkube/runtime-linux-x64":{}}');
    expect((await explainAbsence("x64", version, directory))?.cause).toContain("--omit=optional");
  });

  test("by the programs of another machine beside it", async () => {
    const other = join(project, "node_modules/@sandkube/runtime-linux-arm64");
    await fs.mkdir(other, { recursive: true });
    await fs.writeFile(join(other, "package.json"), "{}");
    expect((await explainAbsence("x64", version, directory))?.cause).toContain(
      "made on another machine: it has the programs for linux-arm64",
    );
  });

  test("not at all outside node_modules", async () => {
    expect(await explainAbsence("x64", version, project)).toBeNull();
  });
});

test.each([
  ["pnpm-lock.yaml", `pnpm add --save-optional ${wanted}`],
  ["yarn.lock", `yarn add --optional ${wanted}`],
  ["bun.lock", `bun add --optional ${wanted}`],
])("beside %s the command is that package manager's", async (lock, command) => {
  await fs.writeFile(join(project, lock), "");
  expect((await explainAbsence("x64", version, directory))?.command).toBe(command);
});

test("a global installation is repaired globally", async () => {
  const prefix = await temporaryDirectory();
  const global = join(prefix, "lib", "node_modules", "sandkube");
  await fs.mkdir(global, { recursive: true });
  expect((await explainAbsence("x64", version, global))?.command).toBe(
    `npm install --global ${wanted}`,
  );
});
