import { generatedFile, writeGenerated } from "../../scripts/generated-file.js";
import { measuredVersions, thisMachine } from "../machine.js";
import type { BenchOptions } from "../options.js";
import { textOf } from "../table.js";
import { imagesDocument } from "./document.js";
import { largeImage } from "./image.js";
import { imagesSections } from "./report.js";
import { imagesResult } from "./results.js";
import { measureImagesRounds } from "./rounds.js";

/** Measures loads and pulls of images, and returns what goes to standard output: tables or JSON. */
export async function benchImages(
  options: BenchOptions,
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<string> {
  const { runs, kinds } = options;
  const directory = await largeImage(signal);
  const machine = thisMachine();
  const rounds = await measureImagesRounds({ runs, kinds, directory, signal, report });
  const results = [...rounds].map(([kind, done]) => imagesResult(kind, done));
  const { kwok: _, ...versions } = await measuredVersions();
  const sections = imagesSections(results);
  if (options.write) {
    const text = imagesDocument({ runs, machine, versions, sections });
    const file = await generatedFile("docs/images-performance.md", text);
    for (const path of writeGenerated([file])) report(`wrote ${path}`);
  }
  if (!options.json) return textOf(sections);
  return `${JSON.stringify({ schema: 1, runs, machine, versions, results })}\n`;
}
