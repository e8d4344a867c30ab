import { expect, it } from "vitest";
import { keptRecords } from "./report/record.js";
import { smokeSpecs } from "./smoke.js";

it("has specs of each SIG, all of which are recorded as passed", async () => {
  const records = await keptRecords("conformance");
  const passed = records
    .filter(({ kind }) => kind === "g26")
    .flatMap(({ specs }) => specs.filter(({ outcome }) => outcome === "passed"))
    .map(({ name }) => name);
  expect(smokeSpecs.filter((name) => !passed.includes(name))).toEqual([]);
  const sigs = passed.map(sigOf);
  const missing = sigs.filter((sig) => !smokeSpecs.map(sigOf).includes(sig));
  expect(missing).toEqual([]);
});

function sigOf(name: string): string {
  return name.slice(0, name.indexOf("]") + 1);
}
