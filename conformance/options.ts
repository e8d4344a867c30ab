import { parseArgs } from "node:util";
import { sandboxKinds, type SandboxKind } from "../lab/src/index.js";

/** What a run can be about, by the name that its record has: a `--focus` of its own. */
export const scopes = {
  "sig-network": String.raw`\[sig-network\].*\[Conformance\]`,
  all: String.raw`\[Conformance\]`,
} as const;

export type Scope = keyof typeof scopes;

export const usage = `Runs Kubernetes' conformance tests against a sandkube cluster in a sandbox of the lab.

  npm run conformance -- [OPTIONS]

OPTIONS
  --lab KIND        g26, g24 or bare (default: g26)
  --focus REGEX     run the specs whose text matches (default: ${scopes["sig-network"]})
  --skip REGEX      but not those whose text matches this
  --output DIRECTORY
                    where logs and reports go (default: in the user's cache directory)
  --no-record       leave docs/conformance.md as it is
  --no-build        test the programs and the CLI that are built already
  --help            this text

A run with the default focus, or with --focus '${scopes.all}', and without --skip is recorded in
docs/conformance.md. Progress goes to standard error, the result to standard output. The exit code is
0 when no spec failed, 3 when one did.
`;

export interface ConformanceOptions {
  readonly kind: SandboxKind;
  /** Regular expressions of Go, which Ginkgo matches with the text of each spec. */
  readonly focus: string;
  readonly skip: string | null;
  /** Null: the default place, which depends on the kind. */
  readonly output: string | null;
  /** What the run is recorded as; null: it is not recorded. */
  readonly scope: Scope | null;
  readonly build: boolean;
  readonly help: boolean;
}

/** A mistake in the arguments; the message is for people. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Throws {@link UsageError}. */
export function parseOptions(args: readonly string[]): ConformanceOptions {
  const values = parsed(args);
  const focus = values.focus ?? scopes["sig-network"];
  const skip = values.skip ?? null;
  const isRecorded = skip === null && !(values["no-record"] ?? false);
  return {
    kind: kindNamed(values.lab ?? "g26"),
    focus,
    skip,
    output: values.output ?? null,
    scope: isRecorded ? scopeOf(focus) : null,
    build: !(values["no-build"] ?? false),
    help: values.help ?? false,
  };
}

function scopeOf(focus: string): Scope | null {
  const names = Object.keys(scopes) as Scope[];
  return names.find((name) => scopes[name] === focus) ?? null;
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        lab: { type: "string" },
        focus: { type: "string" },
        skip: { type: "string" },
        output: { type: "string" },
        "no-record": { type: "boolean" },
        "no-build": { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function kindNamed(name: string): SandboxKind {
  const found = sandboxKinds.find((kind) => kind === name);
  if (found !== undefined) return found;
  throw new UsageError(`--lab is one of ${sandboxKinds.join(", ")}; not ${name}`);
}
