import { parseArgs } from "node:util";
import { sandboxKinds, type SandboxKind } from "../lab/src/index.js";

export const usage = `Measures sandkube beside kwokctl, and beside its own parts as separate upstream processes, in the
lab's sandboxes, in turns, and prints tables: starts, a cluster in use, processor use at rest, memory.
A round of one sandbox takes about twelve minutes.
With --network it measures the pod network instead, with --images loads and pulls.

  npm run bench -- [OPTIONS]

OPTIONS
  --network       measure Services, the way out and DNS, instead of the start
  --soak          with --network: also five minutes of a steady load
  --images        measure loads and pulls of a large image, instead of the start
  --runs N        rounds, each a cold start of everything in every sandbox (default: 5)
  --only KINDS    comma list of g26, g24, bare (default: all)
  --json          print JSON instead of the table
  --write         also write the result to the document in docs that is about it
  --no-build      measure the programs and the CLI that are built already
  --help          this text

Progress goes to standard error. The exit code is 0 whether or not the targets are met.
`;

export interface BenchOptions {
  /** Measure the pod network, not the start. */
  readonly network: boolean;
  /** Measure loads and pulls of images, not the start. */
  readonly images: boolean;
  /** Also put a steady load on the pod network. */
  readonly soak: boolean;
  readonly runs: number;
  readonly kinds: readonly SandboxKind[];
  readonly json: boolean;
  readonly write: boolean;
  readonly build: boolean;
  readonly help: boolean;
}

/** A mistake in the arguments; the message is for people. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export function parseOptions(args: readonly string[]): BenchOptions {
  const values = parsed(args);
  const { network = false, soak = false, images = false } = values;
  if (soak && !network) throw new UsageError("--soak is of use with --network only");
  if (images && network) throw new UsageError("--images and --network are one run each");
  return {
    network,
    images,
    soak,
    runs: runsIn(values.runs ?? "5"),
    kinds: values.only === undefined ? sandboxKinds : kindsIn(values.only),
    json: values.json ?? false,
    write: values.write ?? false,
    build: !(values["no-build"] ?? false),
    help: values.help ?? false,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        network: { type: "boolean" },
        soak: { type: "boolean" },
        images: { type: "boolean" },
        runs: { type: "string" },
        only: { type: "string" },
        json: { type: "boolean" },
        write: { type: "boolean" },
        "no-build": { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function runsIn(text: string): number {
  const runs = Number(text);
  if (Number.isInteger(runs) && runs >= 1 && runs <= 100) return runs;
  throw new UsageError(`--runs is a whole number from 1 to 100; not ${text}`);
}

function kindsIn(text: string): SandboxKind[] {
  const names = new Set(text.split(","));
  const kinds = sandboxKinds.filter((kind) => names.delete(kind));
  if (names.size === 0) return kinds;
  throw new UsageError(`--only names some of ${sandboxKinds.join(", ")}; not ${[...names].join()}`);
}
