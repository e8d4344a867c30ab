import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A directory that is removed when the running test ends. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await fs.mkdtemp(join(tmpdir(), "sandkube-test-"));
  onTestFinished(() => fs.rm(directory, { recursive: true, force: true }));
  return directory;
}
