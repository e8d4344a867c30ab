import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { architectures, hostArchitecture } from "./architecture.js";
import { run } from "./command.js";
import { requireStaticProgram } from "./static-program.js";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sandkube-static-"));
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

test("a program of Go without cgo passes", async () => {
  const source = join(directory, "main.go");
  await writeFile(source, "package main\n\nfunc main() {}\n");
  const program = join(directory, "static");
  await run(["go", "build", "-o", program, source], { environment: { CGO_ENABLED: "0" } });
  await requireStaticProgram(program, hostArchitecture());
  const others = architectures.filter((architecture) => architecture !== process.arch);
  for (const other of others) {
    await expect(requireStaticProgram(program, other)).rejects.toThrow(
      `not a program for ${other}`,
    );
  }
});

test("a program that needs a loader is refused", async () => {
  const program = join(directory, "dynamic");
  await copyFile(process.execPath, program);
  await expect(requireStaticProgram(program, hostArchitecture())).rejects.toThrow(
    "not statically linked",
  );
});

test("a file that is no program is refused", async () => {
  const file = join(directory, "text");
  await writeFile(file, "#!/bin/sh\n".repeat(10));
  await expect(requireStaticProgram(file, hostArchitecture())).rejects.toThrow(
    "not an ELF program",
  );
});
