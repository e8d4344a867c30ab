import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../platform/testing/temporary-directory.js";
import { sha256OfFile } from "../platform/files.js";
import { copyPrograms } from "./copy-programs.js";
import { locatePrograms } from "./locate-programs.js";
import { makeProgramsDirectory } from "./testing/programs-directory.js";

const version = "1.2.3";

test("SANDKUBE_PROGRAMS comes before the checkout's programs", async () => {
  const root = await temporaryDirectory();
  const named = await makeProgramsDirectory(join(root, "named"), version);
  const cached = await makeProgramsDirectory(join(root, "cached"), version);
  await fs.writeFile(join(root, ".programs"), `${cached}\n`);
  const found = await locatePrograms({ override: named, version, checkout: root });
  expect(found.directory).toBe(named);
  expect(found.path("runc")).toBe(join(named, "runc"));
  expect(found.components).toEqual({ kubernetes: "v1.36.4" });
  expect((await locatePrograms({ version, checkout: root })).directory).toBe(cached);
});

test("without any programs the error says how to get them", async () => {
  const checkout = await temporaryDirectory();
  await expect(locatePrograms({ version, checkout })).rejects.toMatchObject({
    code: "E_PROGRAMS_MISSING",
    hint: expect.stringContaining("SANDKUBE_PROGRAMS") as string,
  });
});

test("programs that are missing are named", async () => {
  const directory = await makeProgramsDirectory(await temporaryDirectory(), version);
  await fs.rm(join(directory, "runc"));
  await fs.rm(join(directory, "pause.tar"));
  await expect(locatePrograms({ override: directory, version })).rejects.toMatchObject({
    code: "E_PROGRAMS_MISSING",
    details: { missing: ["runc", "pause.tar"] },
  });
});

test("a lost executable bit is told apart, with the command that repairs it", async () => {
  const directory = await makeProgramsDirectory(await temporaryDirectory(), version);
  await fs.chmod(join(directory, "sandkube-oci"), 0o644);
  await expect(locatePrograms({ override: directory, version })).rejects.toMatchObject({
    code: "E_NOT_EXECUTABLE",
    message: expect.stringContaining("lost their executable bits") as string,
    details: { unusable: ["sandkube-oci"], command: "sandkube programs install" },
  });
});

test("programs for another processor are refused", async () => {
  const directory = await makeProgramsDirectory(await temporaryDirectory(), version);
  const search = { override: directory, version, architecture: "arm64" };
  await expect(locatePrograms(search)).rejects.toMatchObject({
    code: "E_ARCHITECTURE",
    details: { programs: process.arch, architecture: "arm64" },
  });
});

test("a processor that no release is for is named, with those that there are", async () => {
  const checkout = await temporaryDirectory();
  const search = { version, checkout, architecture: "riscv64" };
  await expect(locatePrograms(search)).rejects.toMatchObject({
    code: "E_ARCHITECTURE",
    message: expect.stringContaining("linux-x64 and linux-arm64") as string,
  });
});

test("a file that was cut off is named", async () => {
  const directory = await makeProgramsDirectory(await temporaryDirectory(), version);
  await listFiles(directory);
  await expect(locatePrograms({ override: directory, version })).resolves.toBeDefined();
  await fs.truncate(join(directory, "runc"), 3);
  await expect(locatePrograms({ override: directory, version })).rejects.toMatchObject({
    code: "E_PROGRAMS_MISMATCH",
    details: { files: ["runc"] },
  });
});

test("a copy in the data directory is made with the executable bits, and is found first", async () => {
  const root = await temporaryDirectory();
  const source = await makeProgramsDirectory(join(root, "source"), version);
  await listFiles(source);
  await fs.chmod(join(source, "runc"), 0o644);
  const dataDirectory = join(root, "data");
  await fs.mkdir(dataDirectory);
  const copy = await copyPrograms(source, dataDirectory);
  expect(await locatePrograms({ dataDirectory, version, checkout: root })).toMatchObject({
    directory: copy,
  });
});

test("damaged programs are not copied, and nothing is left of them", async () => {
  const root = await temporaryDirectory();
  const source = await makeProgramsDirectory(join(root, "source"), version);
  await listFiles(source);
  await fs.writeFile(join(source, "runc"), "#!/bin/sh\nexit 1\n");
  const dataDirectory = join(root, "data");
  await fs.mkdir(dataDirectory);
  await expect(copyPrograms(source, dataDirectory)).rejects.toMatchObject({
    code: "E_PROGRAMS_MISMATCH",
    details: { files: ["runc"] },
  });
  expect(await fs.readdir(dataDirectory)).toEqual([]);
});

/** Lists the files of a programs directory in its manifest, as the build does. */
async function listFiles(directory: string): Promise<void> {
  const file = join(directory, "programs.json");
  const manifest = JSON.parse(await fs.readFile(file, "utf8")) as object;
  const names = (await fs.readdir(directory)).filter((name) => name !== "programs.json");
  const entries = await Promise.all(
    names.map(async (name) => {
      const path = join(directory, name);
      const { size: sizeBytes } = await fs.stat(path);
      return [name, { sha256: await sha256OfFile(path), sizeBytes }] as const;
    }),
  );
  await fs.writeFile(file, JSON.stringify({ ...manifest, files: Object.fromEntries(entries) }));
}

test("programs of another version are refused before anything starts", async () => {
  const directory = await makeProgramsDirectory(await temporaryDirectory(), "1.2.4");
  await expect(locatePrograms({ override: directory, version })).rejects.toMatchObject({
    code: "E_PROGRAMS_MISMATCH",
    details: { programs: "1.2.4", package: version },
  });
});

test.each(["", "{", '{"version":1}'])("a manifest with the content %j is refused", async (text) => {
  const directory = await makeProgramsDirectory(await temporaryDirectory(), version);
  await fs.writeFile(join(directory, "programs.json"), text);
  await expect(locatePrograms({ override: directory, version })).rejects.toMatchObject({
    code: "E_PROGRAMS_MISMATCH",
  });
});
