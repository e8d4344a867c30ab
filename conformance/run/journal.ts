import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import type { SpecResult } from "../report/spec-results.js";

/** What the results of a journal have in common: a run goes on only from results of the same. */
export interface JournalHead {
  readonly kind: string;
  /** Versions of sandkube and of its parts, by name. */
  readonly versions: Readonly<Record<string, string>>;
}

/**
 * Results of a run as lines of JSON, each written when it is known, so that a run that is killed can
 * go on: a line for what it is about and its specs, then one for each result. The last result of a name counts.
 */
export class Journal {
  /** Names of the specs that the run is to run. */
  readonly specs: readonly string[];
  readonly #path: string;
  readonly #results = new Map<string, SpecResult>();

  private constructor(path: string, specs: readonly string[], results: readonly SpecResult[]) {
    this.#path = path;
    this.specs = specs;
    for (const result of results) this.#results.set(result.name, result);
  }

  /** Starts a journal, in place of one that is there. */
  static create(path: string, head: JournalHead, specs: readonly string[]): Journal {
    writeFileSync(path, `${JSON.stringify({ ...head, specs })}\n`);
    return new Journal(path, specs, []);
  }

  /** Opens a journal that an earlier run left. Throws when there is none, or one of something else. */
  static open(path: string, head: JournalHead): Journal {
    const [first = "{}", ...lines] = readLines(path);
    const { specs, ...of } = JSON.parse(first) as JournalHead & { specs: string[] };
    if (JSON.stringify(of) !== JSON.stringify(head)) {
      throw new Error(
        `the results in ${path} are of another lab or of other versions: ${JSON.stringify(of)}. Run without --resume and --failed.`,
      );
    }
    return new Journal(
      path,
      specs,
      lines.map((line) => JSON.parse(line) as SpecResult),
    );
  }

  /** Adds a result, on the disk when this returns; replaces an earlier one of the same spec. */
  add(result: SpecResult): void {
    appendFileSync(this.#path, `${JSON.stringify(result)}\n`);
    this.#results.set(result.name, result);
  }

  result(name: string): SpecResult | undefined {
    return this.#results.get(name);
  }
}

/** Whole lines only: the last is cut off when its writer was killed. */
function readLines(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new Error(`there is no earlier run to go on with: ${path} can not be read`, { cause });
  }
  const lines = text.split("\n");
  const cutOff = lines.pop() ?? "";
  if (cutOff !== "") writeFileSync(path, `${lines.join("\n")}\n`);
  return lines;
}
