import { parseArgs } from "node:util";
import { bootSandbox } from "./boot-sandbox.js";
import { LabError } from "./errors.js";
import { prepare } from "./prepare.js";
import { sandboxKinds, type BootOptions, type SandboxKind } from "./sandbox.js";

const usage = `Boots a sandbox, runs a command or a shell in it, and removes it.

  npm run lab -- KIND [OPTIONS] [COMMAND [ARGUMENT...]]
  npm run lab -- prepare [--trixie] [KIND...]

KIND
  g26    gVisor of 2026-09, built from the Go module
  g24    gVisor of 2024-07, from Debian
  bare   this machine's kernel, in namespaces of its own

OPTIONS (before COMMAND)
  --overlay2 none    9p root file system (default: root:self, an overlay)
  --root-backing directory
                     keep the root in a plain directory of this machine (default: overlayfs)
  --net-raw          raw sockets, and with them iptables
  --network none     loopback only (default: sandbox)
  --network host     gVisor without a network stack of its own: that of the machine shows through
  --without NAMES    capabilities, such as CAP_NET_ADMIN, that not even root has; by commas
  --trixie           userland of Debian trixie (default: bookworm)
  --user UID         run as this user, without capabilities unless 0
  --images DIR       show DIR at /images
  --help             this text

The checkout is at /sandkube, read-only; the programs, if built, at /opt/sandkube/programs; the
command sandkube is on PATH. The exit code is the command's. SANDKUBE_LAB_KEEP=1 keeps the logs.
`;

const optionTypes = {
  overlay2: { type: "string" },
  "root-backing": { type: "string" },
  "net-raw": { type: "boolean" },
  network: { type: "string" },
  without: { type: "string" },
  trixie: { type: "boolean" },
  user: { type: "string" },
  images: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

const exitCodes = { failure: 1, usage: 2 } as const;

function report(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Runs `npm run lab` with these arguments; returns the exit code. */
export async function runCommandLine(
  args: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  try {
    const [first, ...rest] = args;
    if (first === undefined || first === "--help" || first === "-h") {
      process.stdout.write(usage);
      return first === undefined ? exitCodes.usage : 0;
    }
    const { options, command } = splitCommand(rest, first === "prepare");
    if (options.help) {
      process.stdout.write(usage);
      return 0;
    }
    if (first === "prepare") {
      const kinds = command.length === 0 ? [...sandboxKinds] : command.map(kindNamed);
      const userlands = options.trixie
        ? (["bookworm", "trixie"] as const)
        : (["bookworm"] as const);
      await prepare({ kinds, userlands, signal, report });
      return 0;
    }
    const isTerminal = process.stdin.isTTY && process.stdout.isTTY && process.stderr.isTTY;
    await using sandbox = await bootSandbox({
      ...bootOptions(kindNamed(first), options),
      signal,
      report,
    });
    const argv = command.length === 0 ? ["bash", ...(isTerminal ? ["-i"] : [])] : command;
    const user = options.user === undefined ? 0 : numberIn("--user", options.user);
    return await sandbox.attach(argv, { user, tty: isTerminal, signal });
  } catch (error) {
    report(`lab: ${error instanceof Error ? error.message : String(error)}`);
    const isUsage = error instanceof LabError && error.code === "E_LAB_USAGE";
    return isUsage ? exitCodes.usage : exitCodes.failure;
  }
}

type Options = ReturnType<typeof parseArgs<{ options: typeof optionTypes }>>["values"];

/** Options end at the first word that is none: all after it belongs to the command inside. */
function splitCommand(
  args: readonly string[],
  mixed: boolean,
): { options: Options; command: string[] } {
  const config = { options: optionTypes, allowPositionals: true } as const;
  const { tokens } = parseArgs({ ...config, args: [...args], strict: false, tokens: true });
  const end = tokens.find(({ kind }) => kind === "positional" || kind === "option-terminator");
  const split = mixed || end === undefined ? args.length : end.index;
  try {
    const parsed = parseArgs({ ...config, args: args.slice(0, split) });
    const after = args.slice(split);
    if (after[0] === "--") after.shift();
    return { options: parsed.values, command: [...parsed.positionals, ...after] };
  } catch (error) {
    throw new LabError("E_LAB_USAGE", error instanceof Error ? error.message : String(error));
  }
}

function bootOptions(kind: SandboxKind, options: Options): Omit<BootOptions, "signal" | "report"> {
  const { overlay2, network } = options;
  const rootBacking = options["root-backing"];
  return {
    kind,
    ...(overlay2 === undefined
      ? {}
      : { overlay2: oneOf("--overlay2", overlay2, ["root:self", "none"]) }),
    ...(rootBacking === undefined
      ? {}
      : { rootBacking: oneOf("--root-backing", rootBacking, ["overlayfs", "directory"]) }),
    ...(network === undefined
      ? {}
      : { network: oneOf("--network", network, ["sandbox", "none", "host"]) }),
    ...(options.without === undefined
      ? {}
      : { withoutCapabilities: options.without.split(",").map(capabilityNamed) }),
    ...(options["net-raw"] ? { netRaw: true } : {}),
    ...(options.trixie ? { userland: "trixie" } : {}),
    ...(options.images === undefined ? {} : { imagesDirectory: options.images }),
  };
}

function capabilityNamed(value: string): string {
  if (/^CAP_[A-Z_]+$/.test(value)) return value;
  throw new LabError("E_LAB_USAGE", `--without names capabilities as CAP_NET_ADMIN; not ${value}`);
}

function kindNamed(name: string): SandboxKind {
  return oneOf("KIND", name, sandboxKinds);
}

function oneOf<T extends string>(what: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw new LabError("E_LAB_USAGE", `${what} is one of ${allowed.join(", ")}; not ${value}`);
}

function numberIn(what: string, value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new LabError("E_LAB_USAGE", `${what} is a number; not ${value}`);
}
