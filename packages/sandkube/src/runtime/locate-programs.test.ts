import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../platform/testing/temporary-directory.js";
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

test("programs that are missing or not executable are named", async () => {
  const directory = await makeProgramsDirectory(await temporaryDirectory(), version);
  await fs.rm(join(directory, "runc"));
  await fs.chmod(join(directory, "sandkube-oci"), 0o644);
  await fs.rm(join(directory, "pause.tar"));
  await expect(locatePrograms({ override: directory, version })).rejects.toMatchObject({
    code: "E_PROGRAMS_MISSING",
    details: { missing: ["sandkube-oci", "runc", "pause.tar"] },
  });
});

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
