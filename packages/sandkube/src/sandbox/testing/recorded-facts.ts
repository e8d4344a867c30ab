import { readdirSync, readFileSync } from "node:fs";
import { parseFacts, type Fact, type FactId, type Facts, type System } from "../facts.js";

const testdata = new URL("../../../../../protocol/testdata/", import.meta.url);

/** The names NAME of the recorded sandboxes protocol/testdata/facts-NAME.json, sorted. */
export function recordedNames(): string[] {
  return readdirSync(testdata)
    .flatMap((file) => /^facts-(.+)\.json$/.exec(file)?.[1] ?? [])
    .toSorted();
}

/** The facts of protocol/testdata/facts-NAME.json, as the probe printed them. */
export function recordedFacts(name: string): Facts {
  return parseFacts(readFileSync(new URL(`facts-${name}.json`, testdata), "utf8"));
}

/** The facts of a full kernel with some of them replaced. */
export function factsWith(
  changed: Partial<Record<FactId, Partial<Fact>>>,
  system: Partial<System> = {},
): Facts {
  const facts = recordedFacts("full-kernel");
  for (const [id, fact] of Object.entries(changed) as [FactId, Partial<Fact>][]) {
    facts.facts[id] = { ...facts.facts[id], ...fact };
  }
  return { ...facts, system: { ...facts.system, ...system } };
}
