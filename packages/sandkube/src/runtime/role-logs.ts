import * as fs from "node:fs/promises";
import { sleep } from "../platform/clock.js";
import { errnoOf, tailOf } from "../platform/files.js";
import type { RoleName } from "../events.js";
import type { ClusterPaths } from "../state/cluster-paths.js";

const followIntervalMs = 200;
const maxTailBytes = 16 * 1024 * 1024;

/** A line of a role's log. */
export interface LogLine {
  role: RoleName;
  line: string;
}

export interface ReadLogsOptions {
  /** At most this many of each role's last lines. */
  tail: number;
  /** Go on with the lines that are written from then on, until aborted. */
  follow: boolean;
  signal?: AbortSignal | undefined;
}

/** The lines of some roles' logs, role by role; with `follow`, then each new line as it comes. */
export async function* readLogs(
  paths: ClusterPaths,
  roles: readonly RoleName[],
  options: ReadLogsOptions,
): AsyncGenerator<LogLine> {
  const followers = options.follow
    ? await Promise.all(roles.map((role) => LogFollower.atEnd(role, paths.log(role))))
    : [];
  for (const role of roles) {
    for (const line of await tailOf(paths.log(role), options.tail, maxTailBytes)) {
      yield { role, line };
    }
  }
  while (options.follow && !options.signal?.aborted) {
    for (const follower of followers) {
      for (const line of await follower.newLines()) yield { role: follower.role, line };
    }
    await sleep(followIntervalMs, options.signal).catch(() => {});
  }
}

/** Reads what is appended to a file that may not exist yet, or be replaced. */
class LogFollower {
  readonly role: RoleName;
  readonly #file: string;
  #offset: number;
  #partial = "";

  private constructor(role: RoleName, file: string, offset: number) {
    this.role = role;
    this.#file = file;
    this.#offset = offset;
  }

  static async atEnd(role: RoleName, file: string): Promise<LogFollower> {
    return new LogFollower(role, file, await sizeOf(file));
  }

  async newLines(): Promise<string[]> {
    const size = await sizeOf(this.#file);
    if (size < this.#offset) this.#offset = 0;
    if (size === this.#offset) return [];
    const handle = await fs.open(this.#file, "r");
    try {
      const buffer = Buffer.alloc(size - this.#offset);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, this.#offset);
      this.#offset += bytesRead;
      const text = this.#partial + buffer.subarray(0, bytesRead).toString("utf8");
      const lines = text.split("\n");
      this.#partial = lines.pop() ?? "";
      return lines;
    } finally {
      await handle.close();
    }
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await fs.stat(file)).size;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return 0;
    throw error;
  }
}
