/** The most nodes that a cluster can have: all of them share one sandbox. */
export const maxNodes = 9;

/** The name of the Node object of a cluster's nth node, counted from 1. */
export function nodeName(number: number): string {
  return `node-${number}`;
}

/** What tells the files, directories and roles of a cluster's nth node from those of the others. */
export function nodeSuffix(number: number): "" | `-${number}` {
  return number === 1 ? "" : `-${number}`;
}

/** The numbers of a cluster's nodes. */
export function nodeNumbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
