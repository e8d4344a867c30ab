/** A spec that has ended, as Ginkgo's verbose output tells it. */
export interface EndedSpec {
  readonly name: string;
  /** Such as "failed", "skipped", "timedout"; "passed" where Ginkgo says nothing else. */
  readonly outcome: string;
  readonly seconds: number;
  /** First line of the failure; empty where there is none. */
  readonly reason: string;
  /** Names of the namespaces that the spec had. */
  readonly namespaces: readonly string[];
}

const ruler = /^-{20,}$/;
const end = /^\S+ (?:\[([A-Z ]+)[^\]]*\] )?\[([\d.]+) seconds\]$/;
const failure = /^ *\[(?:FAILED|PANICKED|TIMEDOUT|INTERRUPTED|ABORTED)\] (?!in \[)(.+)$/;
/** The suite's framework says so at the end of each spec that had a namespace. */
const namespaceEnd = /STEP: Destroying namespace "([^"]+)" for this suite/;
/** Ginkgo marks in a spec's text in which node it failed. */
const nodeMarks = / \[(?:It|(?:Just)?(?:Before|After)Each|DeferCleanup[^\]]*)\]/g;

/**
 * Finds the specs that ended in the output of Ginkgo with `-v` and without colours. Rulers surround
 * what belongs to a spec. One that ran alone begins with its text and ends with a line such as
 * `• [FAILED] [3.2 seconds]`; of one that ran beside others, that line is the first.
 */
export class SuiteProgress {
  readonly #names: ReadonlySet<string>;
  #text = "";
  #reason = "";
  #namespaces: string[] = [];
  #end: Pick<EndedSpec, "outcome" | "seconds"> | null = null;
  /** How many specs the suite is about to run; null until it says so. */
  total: number | null = null;

  /** `names` are the texts of the specs that were asked for. */
  constructor(names: readonly string[]) {
    this.#names = new Set(names);
  }

  /** Takes the next line of output; returns the spec whose account ends with it, if one's does. */
  take(line: string): EndedSpec | null {
    if (ruler.test(line)) return this.#finish();
    const count = /^Will run (\d+) of \d+ specs$/.exec(line);
    if (count !== null) this.total = Number(count[1]);
    const namespace = namespaceEnd.exec(line)?.[1];
    if (namespace !== undefined) this.#namespaces.push(namespace);
    const ended = end.exec(line);
    if (ended !== null) {
      const [, outcome = "passed", seconds = "0"] = ended;
      this.#end = { outcome: outcome.toLowerCase(), seconds: Number(seconds) };
    } else if (this.#text === "" && line.startsWith("[")) {
      this.#text = line.replaceAll(nodeMarks, "");
    } else if (this.#reason === "") {
      this.#reason = failure.exec(line)?.[1]?.trim() ?? "";
    }
    return null;
  }

  #finish(): EndedSpec | null {
    const name = this.#nameIn(this.#text);
    const reason = this.#reason;
    const namespaces = this.#namespaces;
    const end = this.#end;
    this.#text = "";
    this.#namespaces = [];
    this.#reason = "";
    this.#end = null;
    return end === null || name === null ? null : { name, reason, namespaces, ...end };
  }

  /** Ginkgo shows a spec's labels after its text. */
  #nameIn(text: string): string | null {
    for (let name = text.trim(); name !== ""; name = name.slice(0, name.lastIndexOf(" ")).trim()) {
      if (this.#names.has(name)) return name;
      if (!name.includes(" ")) return null;
    }
    return null;
  }
}
