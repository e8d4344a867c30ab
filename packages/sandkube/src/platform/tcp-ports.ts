import { createServer } from "node:net";
import * as fs from "node:fs/promises";
import { errnoOf, readFileIfExists } from "./files.js";

const maxCommandLength = 120;

/** A process that listens on a port, as far as /proc tells. */
export interface PortOwner {
  pid: number;
  /** Its command line, or the start of a long one. */
  command: string;
}

/**
 * Whether a TCP port can be listened on at an address. Tried by binding it, since
 * /proc/net/tcp is empty in some sandboxes.
 */
export async function isPortFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port, exclusive: true }, resolve);
    });
    return true;
  } catch (error) {
    if (errnoOf(error) === "EADDRINUSE") return false;
    throw error;
  } finally {
    if (server.listening) {
      await new Promise((resolve) => server.close(resolve));
    }
  }
}

/** The process that listens on a TCP port; null when /proc does not show it. */
export async function findPortOwner(port: number): Promise<PortOwner | null> {
  const tables = await Promise.all(
    ["/proc/net/tcp", "/proc/net/tcp6"].map((file) => readFileIfExists(file)),
  );
  const inodes = new Set(tables.flatMap((table) => listeningInodes(table ?? "", port)));
  if (inodes.size === 0) return null;
  const names = await fs.readdir("/proc");
  for (const name of names) {
    if (/^\d+$/.test(name) && (await holdsSocket(name, inodes))) {
      return { pid: Number(name), command: await commandOf(name) };
    }
  }
  return null;
}

async function commandOf(pid: string): Promise<string> {
  const commandLine = await fs.readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  const command = commandLine.replaceAll("\0", " ").trim();
  return command.length <= maxCommandLength ? command : `${command.slice(0, maxCommandLength)}...`;
}

/** Socket inodes of the lines of /proc/net/tcp that are in state LISTEN (0A) on a port. */
export function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) && fields[3] === "0A")
    .flatMap((fields) => fields[9] ?? []);
}

async function holdsSocket(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  try {
    const descriptors = await fs.readdir(`/proc/${pid}/fd`);
    const links = await Promise.all(
      descriptors.map((fd) => fs.readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")),
    );
    return links.some((link) => inodes.has(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? ""));
  } catch {
    return false;
  }
}
