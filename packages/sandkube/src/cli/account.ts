import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import type { RegistryAccount } from "../index.js";

/** How a command is told an account at a registry: never by its arguments, which all may read. */
export interface AccountFlags {
  credsStdin?: boolean;
  credsFile?: string;
}

/** Adds `--creds-stdin` and `--creds-file`. */
export function withAccountOptions(command: Command): Command {
  return command
    .option("--creds-stdin", "read the account as USER:PASSWORD from standard input")
    .option(
      "--creds-file <file>",
      "read it from a file (default: SANDKUBE_REGISTRY_CREDS, then those on file)",
    );
}

/** The account that the flags or the environment tell; undefined: none. Throws E_USAGE. */
export async function accountOf(flags: AccountFlags): Promise<RegistryAccount | undefined> {
  const { SandkubeError } = await import("../quick.js");
  const told = await read(flags).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SandkubeError("E_USAGE", `the account can not be read: ${reason}`, { cause });
  });
  if (told === undefined) return undefined;
  const [, username, secret] = /^([^:\n]+):([^\n]+)\n?$/.exec(told) ?? [];
  if (username === undefined || secret === undefined) {
    throw new SandkubeError("E_USAGE", "the account is not of the form USER:PASSWORD");
  }
  return { username, secret };
}

async function read({ credsStdin, credsFile }: AccountFlags): Promise<string | undefined> {
  if (credsStdin) {
    // Loaded when it is needed: with it every command, `--help` too, would start later.
    const { text } = await import("node:stream/consumers");
    return await text(process.stdin);
  }
  if (credsFile !== undefined) return await readFile(credsFile, "utf8");
  return process.env["SANDKUBE_REGISTRY_CREDS"] || undefined;
}
