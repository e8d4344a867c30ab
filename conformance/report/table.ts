import type { RecordedSpec } from "./record.js";

type Cell = string | number;

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [head, head.map(() => "---"), ...rows].map(rowOf).join("\n");
}

function rowOf(cells: readonly Cell[]): string {
  return `| ${cells.map((cell) => `${cell}`.replaceAll("|", "\\|")).join(" | ")} |`;
}

export function passedOf(specs: readonly RecordedSpec[]): number {
  return specs.filter(({ outcome }) => outcome === "passed").length;
}

/** The day on which specs were run, or the first and the last. */
export function daysOf(specs: readonly RecordedSpec[]): string {
  const days = specs.map(({ date }) => date).toSorted();
  const [first = "never", last = first] = [days[0], days.at(-1)];
  return first === last ? first : `${first} to ${last}`;
}
