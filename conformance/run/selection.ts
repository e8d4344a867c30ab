/** One of `count` parts of a list; `index` counts from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** Every `count`-th name, so that neighbours, which take equally long, are spread over the parts. */
export function shardOf(names: readonly string[], { index, count }: Shard): string[] {
  return names.toSorted().filter((_name, place) => place % count === index - 1);
}

/** Linux refuses a single argument of 128 KiB. */
const namesPerArgument = 150;

/**
 * Values of Ginkgo's `--focus`, any of which a spec of one of these names matches, and no other: Ginkgo
 * matches a spec's text after `suiteText`, that of its suite.
 */
export function focusOn(suiteText: string, names: readonly string[]): string[] {
  const quoted = names.toSorted().map(quote);
  const expressions: string[] = [];
  for (let start = 0; start < quoted.length; start += namesPerArgument) {
    const alternatives = quoted.slice(start, start + namesPerArgument).join("|");
    expressions.push(`^${suiteText} (?:${alternatives})$`);
  }
  return expressions;
}

function quote(text: string): string {
  return text.replaceAll(/[\\.+*?()|[\]{}^$]/g, String.raw`\$&`);
}
