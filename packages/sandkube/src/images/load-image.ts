import { createReadStream } from "node:fs";
import * as fs from "node:fs/promises";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { SandkubeError } from "../errors.js";
import { runCommand } from "../platform/processes.js";
import type { Programs } from "../runtime/locate-programs.js";
import type { ClusterPaths } from "../state/cluster-paths.js";
import { ctrCommand } from "./containerd-cli.js";

const loadTimeoutMs = 30 * 60_000;

/** An image that has been loaded. */
export interface LoadedImage {
  /** The full reference by which pods name it, such as `registry.example/library/hello:1`. */
  name: string;
  digest: string;
}

export interface LoadImageOptions {
  /** The snapshotter that the node uses. */
  snapshotter: string;
  signal?: AbortSignal | undefined;
}

/**
 * Loads all images of an archive into a cluster's containerd and unpacks them. The
 * archive is an OCI layout in a tar file or what `docker save` writes, gzipped or
 * not, given as the file's path or as an open stream. Throws E_IMAGE with containerd's reason.
 */
export async function loadImage(
  programs: Programs,
  paths: ClusterPaths,
  archive: string | Readable,
  options: LoadImageOptions,
): Promise<LoadedImage[]> {
  const stdin = typeof archive === "string" ? await openArchive(archive) : archive;
  // With --local the archive is read by ctr, and unpacked into whichever snapshotter is named;
  // the transfer service unpacks only into those of its configuration.
  const { file, args, environment } = ctrCommand(programs, paths, [
    "images",
    "import",
    "--local",
    "--snapshotter",
    options.snapshotter,
    "-",
  ]);
  const result = await runCommand(file, args, {
    timeoutMs: loadTimeoutMs,
    signal: options.signal,
    environment,
    stdin,
  });
  if (result.exitCode !== 0) throw refusal(archive, result.stderr, result.timedOut);
  const loaded = parseImportOutput(result.stdout);
  if (loaded.length === 0) {
    throw new SandkubeError("E_IMAGE", `${nameOf(archive)} holds no image for this machine`, {
      hint: "The archive must hold an image of this machine's architecture, with a name and a tag.",
    });
  }
  return loaded;
}

/** Reads the lines `unpacking NAME (DIGEST)...done` of ctr. */
export function parseImportOutput(stdout: string): LoadedImage[] {
  return [...stdout.matchAll(/^unpacking (\S+) \((\S+)\)\.\.\.done$/gm)].map((match) => ({
    name: match[1] ?? "",
    digest: match[2] ?? "",
  }));
}

async function openArchive(file: string): Promise<Readable> {
  let head: Buffer;
  try {
    const handle = await fs.open(file, "r");
    try {
      head = (await handle.read(Buffer.alloc(2), 0, 2, 0)).buffer;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SandkubeError("E_IMAGE", `the archive can not be read: ${reason}`, { cause });
  }
  const stream = createReadStream(file);
  // The magic number of gzip: RFC 1952, section 2.3.1.
  const isGzip = head[0] === 0x1f && head[1] === 0x8b;
  return isGzip ? stream.pipe(createGunzip()) : stream;
}

function nameOf(archive: string | Readable): string {
  return typeof archive === "string" ? archive : "the archive on standard input";
}

function refusal(archive: string | Readable, stderr: string, timedOut: boolean): SandkubeError {
  const reason = timedOut
    ? `not done within ${loadTimeoutMs / 60_000} minutes`
    : (stderr.trim().split("\n").at(-1) ?? "").replace(/^ctr: /, "");
  return new SandkubeError("E_IMAGE", `${nameOf(archive)} can not be loaded: ${reason}`, {
    hint: "An archive is what `docker save` writes, or an OCI image layout in a tar file.",
    details: { output: stderr.trim().split("\n").slice(-10) },
  });
}
