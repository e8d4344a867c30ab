/** The measurements of one figure, one a round, and what they come to. */
export interface Series {
  readonly samples: readonly number[];
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Throws RangeError without samples: there is no figure then, and none may be made up. */
export function seriesOf(samples: readonly number[]): Series {
  if (samples.length === 0) throw new RangeError("a series needs at least one sample");
  return {
    samples,
    median: median(samples),
    min: Math.min(...samples),
    max: Math.max(...samples),
  };
}

/** The middle sample, or the mean of the two in the middle. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError("the median of nothing");
  return (lower + upper) / 2;
}

/** One series for each name that occurs in the samples, in the order of first occurrence. */
export function seriesByName(
  rounds: readonly Readonly<Record<string, number>>[],
): Record<string, Series> {
  const names = new Set(rounds.flatMap((round) => Object.keys(round)));
  const series = [...names].map((name) => {
    const samples = rounds.map((round) => round[name]).filter((value) => value !== undefined);
    return [name, seriesOf(samples)] as const;
  });
  return Object.fromEntries(series);
}
