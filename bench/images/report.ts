import type { Series } from "../statistics.js";
import type { Section } from "../table.js";
import { compressions } from "./image.js";
import type { ImagesResult } from "./results.js";

/** What is aimed at, in the newest gVisor: times of tar's, and MB. */
export const imagesTargets = { ratio: 1.5, memoryMB: 150 } as const;

/** The tables of a run, one column for each kind of sandbox. */
export function imagesSections(results: readonly ImagesResult[]): Section[] {
  const loads = compressions.map((compression) =>
    section(`Loading 300 MB in 12 layers, ${compression}`, results, [
      ["tar, s", ({ loads }) => withRange(loads[compression].untarSeconds)],
      ["`image load`, s", ({ loads }) => withRange(loads[compression].loadSeconds)],
      [
        `\`image load\` / tar, target at most ${imagesTargets.ratio} x`,
        ({ loads }) => withRange(loads[compression].ratio),
      ],
      ["with copies as snapshots, s", ({ loads }) => withRange(loads[compression].copiesSeconds)],
      ["with copies / tar, x", ({ loads }) => withRange(loads[compression].copiesRatio)],
      [
        `memory over idle, MB, target at most ${imagesTargets.memoryMB}`,
        ({ loads }) => withRange(loads[compression].memoryMB),
      ],
    ]),
  );
  return [
    ...loads,
    section("Pulling, and pods of what is there", results, [
      [
        "`image pull` from a registry on the loopback address, gzip, s",
        (r) => withRange(r.pullSeconds),
      ],
      ["the same with copies as snapshots, s", (r) => withRange(r.pullCopiesSeconds)],
      ["second pod of the image until Ready, s", (r) => withRange(r.secondPodSeconds)],
      ["layers that it unpacks", (r) => String(r.secondPodLayers.max)],
    ]),
  ];
}

type Row = readonly [title: string, read: (result: ImagesResult) => string];

function section(title: string, results: readonly ImagesResult[], rows: readonly Row[]): Section {
  return {
    title,
    rows: [
      ["median and range", ...results.map(({ kind }) => kind)],
      ...rows.map(([name, read]) => [name, ...results.map(read)]),
    ],
  };
}

function withRange({ samples, median, min, max }: Series): string {
  const text = (value: number): string => value.toFixed(2);
  return samples.length === 1 ? text(median) : `${text(median)} (${text(min)} to ${text(max)})`;
}
