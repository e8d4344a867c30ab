import type { SandboxKind } from "../lab/src/index.js";
import type { SpecResult } from "./report/spec-results.js";

/** Names of the suites that can be run, as `--suite` has them. */
export const suiteNames = ["conformance", "critest", "kubectl"] as const;

export type SuiteName = (typeof suiteNames)[number];

/** A run of specs in a sandbox. */
export interface SpecRun {
  readonly kind: SandboxKind;
  /** Names of the specs to run. */
  readonly specs: readonly string[];
  /** How many nodes the cluster has. */
  readonly nodes: number;
  /** How many specs run at a time. */
  readonly parallel: number;
  /** Empty directory of this machine for logs and reports. */
  readonly output: string;
  readonly signal: AbortSignal;
  /** Told, in a line each, what happens. */
  readonly report: (line: string) => void;
  /** Given the result of each spec when it ends, and again, with more of the reason, at the end. */
  readonly onResult: (result: SpecResult) => void;
}

/** Which specs are to be run: regular expressions of Go, which Ginkgo matches with their texts. */
export interface Selection {
  readonly focus: string | null;
  readonly skip: string | null;
}

/** Tests of Kubernetes or of a part of it that is ready to be run. */
export interface RunnableSuite {
  /** Versions that its results depend on, beside those of sandkube and its parts. */
  readonly versions: Readonly<Record<string, string>>;
  /** Names of the specs whose results are recorded. */
  recorded(): Promise<string[]>;
  matching(selection: Selection): Promise<string[]>;
  /**
   * Boots a sandbox with a cluster and runs specs there. Throws when the suite does not come to its end;
   * the results until then have been told. Returns what was left behind on the node, a line each.
   */
  run(run: SpecRun): Promise<string[]>;
}
