/** Names of the groups that upstream's script runs, such as "run_pod_tests", in its order. */
export function groupsIn(script: string): string[] {
  const found = script.matchAll(/^\s*record_command (run_\w+)$/gm);
  return [...new Set([...found].flatMap(([, name]) => name ?? []))];
}

/** The words by which upstream's script takes groups: "pod" for "run_pod_tests". */
export function wordsOf(groups: readonly string[]): string[] {
  return groups.map((group) => {
    const word = /^run_(\w+)_tests$/.exec(group)?.[1];
    if (word !== undefined) return word;
    throw new Error(`upstream's script runs ${group} with all others only; leave out --focus`);
  });
}
