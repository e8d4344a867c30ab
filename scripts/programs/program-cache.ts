import { createHash, randomUUID } from "node:crypto";
import {
  chmod,
  link,
  mkdir,
  readFile,
  readdir,
  readlink,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Architecture } from "./architecture.js";
import type { Versions } from "./versions.js";

const keptDirectories = 3;
/** A sandbox of another checkout may use a directory, which can not be seen from outside. */
const keptForMs = 4 * 60 * 60 * 1000;

/**
 * What has been built, below `${XDG_CACHE_HOME:-~/.cache}/sandkube`:
 * `programs/<key>/` are whole programs directories, `parts/<name>-<key>` the files that they are made
 * of by hard links, `work/` is what a build under way writes to. Whatever has its final name is whole.
 */
export class ProgramCache {
  private readonly base: string;

  constructor(base = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "sandkube")) {
    this.base = base;
  }

  get lockFile(): string {
    return join(this.base, "programs.lock");
  }

  directory(key: string): string {
    return join(this.base, "programs", key);
  }

  part(name: string, key: string): string {
    return join(this.base, "parts", `${name}-${key}`);
  }

  /** The programs directory of this key, marked as used now; null when it is not there. */
  async find(key: string): Promise<string | null> {
    const directory = this.directory(key);
    if (!existsSync(join(directory, "programs.json"))) return null;
    const now = new Date();
    await utimes(directory, now, now);
    return directory;
  }

  async create(): Promise<void> {
    for (const name of ["programs", "parts", "work"]) {
      await mkdir(join(this.base, name), { recursive: true });
    }
  }

  /** Removes what killed builds left; only for the lock's holder. */
  async removeAbandonedWork(): Promise<void> {
    for (const name of await readdir(join(this.base, "work"))) {
      await rm(join(this.base, "work", name), { recursive: true, force: true });
    }
  }

  /** Runs an action with an empty directory of its own. */
  async withScratch<T>(action: (scratch: string) => Promise<T>): Promise<T> {
    const scratch = join(this.base, "work", randomUUID());
    await mkdir(scratch);
    try {
      return await action(scratch);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  /** Puts the directory of a processor's programs together from parts, given as file name and path. */
  async assemble(
    key: string,
    versions: Versions,
    architecture: Architecture,
    parts: ReadonlyMap<string, string>,
  ): Promise<string> {
    return await this.withScratch(async (scratch) => {
      const building = join(scratch, key);
      await mkdir(building);
      const files: Record<string, { sha256: string; sizeBytes: number }> = {};
      for (const [name, part] of parts) {
        await link(part, join(building, name));
        const content = await readFile(part);
        const sha256 = createHash("sha256").update(content).digest("hex");
        files[name] = { sha256, sizeBytes: content.length };
      }
      const manifest = { ...versions, architecture, files };
      await writeFile(join(building, "programs.json"), `${JSON.stringify(manifest, null, 2)}\n`);
      await chmod(building, 0o755);
      await rename(building, this.directory(key));
      return this.directory(key);
    });
  }

  /**
   * Keeps the directories used last, those used lately and those that something runs from, and the
   * parts of which they are made or which are named.
   */
  async prune(keptParts: ReadonlySet<string>): Promise<void> {
    const inUse = await runningPrograms();
    const directories = await Promise.all(
      (await readdir(join(this.base, "programs"))).map(async (key) => ({
        path: this.directory(key),
        usedAt: (await stat(this.directory(key))).mtimeMs,
      })),
    );
    directories.sort((a, b) => b.usedAt - a.usedAt);
    for (const { path, usedAt } of directories.slice(keptDirectories)) {
      if (Date.now() - usedAt < keptForMs) continue;
      if (inUse.some((program) => program.startsWith(`${path}/`))) continue;
      await rm(path, { recursive: true, force: true });
    }
    for (const name of await readdir(join(this.base, "parts"))) {
      const path = join(this.base, "parts", name);
      if (!keptParts.has(path) && (await stat(path)).nlink === 1) await rm(path);
    }
  }
}

/** Paths of the programs that run on this machine, as far as they may be seen. */
async function runningPrograms(): Promise<string[]> {
  const processes = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const programs = processes.map((id) => readlink(`/proc/${id}/exe`).catch(() => ""));
  return await Promise.all(programs);
}
