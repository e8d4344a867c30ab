import { parseArgs } from "node:util";
import { sandboxKinds, type SandboxKind } from "../lab/src/index.js";
import type { Shard } from "./run/selection.js";
import { suiteNames, type Selection, type SuiteName } from "./suites.js";

const conformanceFocus = String.raw`\[Conformance\]`;

export const usage = `Runs Kubernetes' conformance tests against a sandkube cluster in a sandbox of the lab.

  npm run conformance -- [OPTIONS]

OPTIONS
  --suite NAME      conformance; or critest, the tests of the Container Runtime Interface, which run on
                    the node's containerd; or kubectl, Kubernetes' command-line tests, which run on a
                    control plane (default: conformance)
  --lab KIND        g26, g24 or bare (default: g26)
  --focus REGEX     run the specs whose text matches (default: ${conformanceFocus}; of other suites all)
  --skip REGEX      but not those whose text matches this
  --smoke           run the 43 specs of conformance/smoke.ts, which npm test runs
  --if-built        do nothing where the suite is not built yet, which takes 12 minutes or more
  --nodes N         run them on N nodes (default: 1); some specs need two; conformance only
  --parallel N      run N specs at a time; those marked Serial come after (default: 1); conformance only
  --shard I/N       run the I-th of N parts of these specs
  --resume          go on with the run that ended early: its results count, the rest of its specs is run
  --failed          run again which of its specs failed in the last run, or were not come to
  --output DIRECTORY
                    where logs, reports and results go (default: in the user's cache directory)
  --no-record       leave conformance/results and docs/conformance.md as they are
  --no-build        test the programs and the CLI that are built already
  --json            print the results as JSON
  --help            this text

The results of conformance specs, and all of other suites, are recorded in conformance/results, beside
those of earlier runs of the same versions, and docs/conformance.md is rendered anew. Progress goes to
standard error, the result to standard output. The exit code is 0 when every spec passed or was skipped,
3 when one failed or left something behind on the node, 4 when the sandbox or the suite ended before the
last spec.
`;

export interface ConformanceOptions extends Selection {
  readonly suite: SuiteName;
  readonly kind: SandboxKind;
  /** Run the smoke set instead of what `focus` and `skip` choose. */
  readonly smoke: boolean;
  /** Do nothing where the suite is not in the cache. */
  readonly ifBuilt: boolean;
  readonly nodes: number;
  /** Number of specs that run at a time. */
  readonly parallel: number;
  readonly shard: Shard | null;
  /** What becomes of the results in the output directory; if they count, so do their run's specs. */
  readonly earlier: "discard" | "resume" | "repeat-failed";
  /** Null: the default place, which depends on the kind. */
  readonly output: string | null;
  readonly record: boolean;
  readonly build: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

/** A mistake in the arguments; the message is for people. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Throws {@link UsageError}. */
export function parseOptions(args: readonly string[]): ConformanceOptions {
  const values = parsed(args);
  const { resume = false, failed = false } = values;
  if (values.smoke === true && (values.focus ?? values.skip) !== undefined) {
    throw new UsageError("--smoke chooses specs itself: --focus and --skip do not go with it");
  }
  if (resume && failed) throw new UsageError("--resume and --failed exclude each other");
  for (const name of ["focus", "skip", "shard"] as const) {
    if ((resume || failed) && values[name] !== undefined) {
      throw new UsageError(
        `--${name} does not go with --resume and --failed: they have a run's own specs`,
      );
    }
  }
  const suite = suiteNamed(values.suite ?? "conformance");
  for (const name of ["smoke", "if-built", "nodes", "parallel"] as const) {
    if (suite !== "conformance" && values[name] !== undefined) {
      throw new UsageError(`--${name} does not go with --suite ${suite}`);
    }
  }
  return {
    suite,
    kind: kindNamed(values.lab ?? "g26"),
    focus: values.focus ?? (suite === "conformance" ? conformanceFocus : null),
    skip: values.skip ?? null,
    smoke: values.smoke ?? false,
    ifBuilt: values["if-built"] ?? false,
    nodes: nodesOf(values.nodes ?? "1"),
    parallel: parallelOf(values.parallel ?? "1"),
    shard: values.shard === undefined ? null : shardOf(values.shard),
    earlier: resume ? "resume" : failed ? "repeat-failed" : "discard",
    output: values.output ?? null,
    record: !(values["no-record"] ?? false),
    build: !(values["no-build"] ?? false),
    json: values.json ?? false,
    help: values.help ?? false,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        suite: { type: "string" },
        lab: { type: "string" },
        focus: { type: "string" },
        skip: { type: "string" },
        smoke: { type: "boolean" },
        "if-built": { type: "boolean" },
        nodes: { type: "string" },
        parallel: { type: "string" },
        shard: { type: "string" },
        resume: { type: "boolean" },
        failed: { type: "boolean" },
        output: { type: "string" },
        "no-record": { type: "boolean" },
        "no-build": { type: "boolean" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function suiteNamed(name: string): SuiteName {
  const found = suiteNames.find((suite) => suite === name);
  if (found !== undefined) return found;
  throw new UsageError(`--suite is one of ${suiteNames.join(", ")}; not ${name}`);
}

function kindNamed(name: string): SandboxKind {
  const found = sandboxKinds.find((kind) => kind === name);
  if (found !== undefined) return found;
  throw new UsageError(`--lab is one of ${sandboxKinds.join(", ")}; not ${name}`);
}

function nodesOf(text: string): number {
  if (/^[1-9]$/.test(text)) return Number(text);
  throw new UsageError(`--nodes is a number from 1 to 9; not ${text}`);
}

function parallelOf(text: string): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw new UsageError(`--parallel is a number from 1 to 99; not ${text}`);
}

function shardOf(text: string): Shard {
  const [, index, count] = (/^(\d{1,3})\/(\d{1,3})$/.exec(text) ?? []).map(Number);
  if (index !== undefined && count !== undefined && index >= 1 && index <= count) {
    return { index, count };
  }
  throw new UsageError(`--shard is I/N with I from 1 to N, such as 2/4; not ${text}`);
}
