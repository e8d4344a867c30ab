/** A spec that has ended, as Ginkgo's verbose output tells it. */
export interface EndedSpec {
  readonly name: string;
  /** Such as "failed", "skipped", "timedout"; "passed" where Ginkgo says nothing else. */
  readonly outcome: string;
  readonly seconds: number;
}

const ruler = /^-{20,}$/;
/** Ginkgo shows a spec's labels after its text; each is also a tag in the text. */
const labels = / \[[^\][]*, [^\][]*\]$/;
const end = /^\S+ (?:\[([A-Z ]+)[^\]]*\] )?\[([\d.]+) seconds\]$/;

/**
 * Finds the ends of specs in the output of a suite that runs with `--ginkgo.v` and without colours.
 * A spec begins with its text after a ruler and ends with a line such as `• [FAILED] [3.2 seconds]`.
 */
export class SuiteProgress {
  #afterRuler = false;
  #name = "";
  /** How many specs the suite is about to run; null until it says so. */
  total: number | null = null;

  /** Takes the next line of output; returns the spec that ends with it, if one does. */
  take(line: string): EndedSpec | null {
    const count = /^Will run (\d+) of \d+ specs$/.exec(line);
    if (count !== null) this.total = Number(count[1]);
    const ended = end.exec(line);
    if (ended !== null) {
      const [, outcome = "passed", seconds = "0"] = ended;
      return { name: this.#name, outcome: outcome.toLowerCase(), seconds: Number(seconds) };
    }
    if (this.#afterRuler && line.startsWith("[")) this.#name = line.trim().replace(labels, "");
    this.#afterRuler = ruler.test(line);
    return null;
  }
}
