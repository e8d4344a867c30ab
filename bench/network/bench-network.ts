import { generatedFile, writeGenerated } from "../../scripts/generated-file.js";
import { measuredVersions, thisMachine } from "../machine.js";
import type { BenchOptions } from "../options.js";
import { textOf } from "../table.js";
import { networkDocument } from "./document.js";
import { netloadImage } from "./image.js";
import { networkSections } from "./report.js";
import { measureNetworkRounds } from "./rounds.js";
import { networkTargets } from "./targets.js";

/** Measures the pod network, and returns what goes to standard output: tables or JSON. */
export async function benchNetwork(
  options: BenchOptions,
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<string> {
  const { runs, kinds, soak } = options;
  const image = await netloadImage(signal, report);
  const machine = thisMachine();
  const results = await measureNetworkRounds({ runs, kinds, image, soak, signal, report });
  const targets = networkTargets(results);
  const { kwok: _, ...versions } = await measuredVersions();
  const sections = networkSections(results, targets);
  if (options.write) {
    const text = networkDocument({ runs, machine, versions, sections });
    const file = await generatedFile("docs/network-performance.md", text);
    for (const path of writeGenerated([file])) report(`wrote ${path}`);
  }
  if (!options.json) return textOf(sections);
  return `${JSON.stringify({ schema: 1, runs, machine, versions, results, targets })}\n`;
}
