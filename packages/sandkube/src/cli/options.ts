import { resolve } from "node:path";
import { InvalidArgumentError, type Command } from "commander";

/** The options that say which cluster a command is for. */
export interface ClusterFlags {
  name?: string;
  data?: string;
}

export interface JsonFlag {
  json?: boolean;
}

/** Adds `--name` and `--data`. */
export function withClusterOptions(command: Command): Command {
  return withDataOption(
    command.option(
      "--name <cluster>",
      "name of the cluster (default: SANDKUBE_CLUSTER or default)",
    ),
  );
}

/** Adds `--data`. */
export function withDataOption(command: Command): Command {
  return command.option(
    "--data <directory>",
    "directory that holds all clusters (default: SANDKUBE_DATA; for root /var/lib/sandkube)",
  );
}

/** Adds `--json`. */
export function withJsonOption(command: Command): Command {
  return command.option("--json", "print JSON on standard output");
}

/** The library's way to name what the flags name. */
export function clusterReference(flags: ClusterFlags): { name?: string; dataDirectory?: string } {
  return {
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(flags.data === undefined ? {} : { dataDirectory: resolve(flags.data) }),
  };
}

/** Parses a TCP port. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65535) return port;
  throw new InvalidArgumentError("It must be a number between 1 and 65535.");
}

/** Parses a whole number that is not negative. */
export function parseCount(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number.");
}

const unitBytes: Readonly<Record<string, number>> = {
  "": 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
};

/** Parses a size such as `500MiB`, `20G` or `1000000` into bytes; units are powers of 1024. */
export function parseBytes(text: string): number {
  const [, amount, unit = ""] = /^(\d+(?:\.\d+)?)(?:([KMGT])(?:i?B)?)?$/i.exec(text) ?? [];
  const bytes = Math.round(Number(amount) * (unitBytes[unit.toUpperCase()] ?? 1));
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new InvalidArgumentError("It must be a size such as 500MiB or 20GiB.");
}

/** Adds `--unpack-limit`. */
export function withUnpackLimitOption(command: Command): Command {
  return command.option(
    "--unpack-limit <size>",
    "the most that a layer may have unpacked (default: 200 times its size where that is more than 2 GiB)",
    parseBytes,
  );
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Parses a duration such as `90`, `90s`, `1.5m` or `500ms` into milliseconds; a bare number is seconds. */
export function parseDurationMs(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  if (amount === undefined) {
    throw new InvalidArgumentError("It must be a duration such as 90s, 3m or 500ms.");
  }
  return Math.round(Number(amount) * (unitMs[unit ?? "s"] ?? 1_000));
}
