import { substitutionOf } from "../images/substitutions.js";
import type { SuiteRecord } from "./record.js";

/** Images of specs' pods, without their registries, by the spec's name. */
export type SpecImages = ReadonlyMap<string, readonly string[]>;

/** What the records of all labs say: a spec's images are the same in each. */
export function imagesOfSpecs(records: readonly SuiteRecord[]): SpecImages {
  const noted = records.flatMap(({ specs }) =>
    specs.flatMap(({ name, images }) => (images === undefined ? [] : [[name, images] as const])),
  );
  return new Map(noted);
}

/** How many of the specs use a substituted image, and of how many it is not known. */
export function substituted(
  names: readonly string[],
  images: SpecImages,
): { readonly count: number; readonly unknown: number } {
  const isSubstituted = (image: string): boolean => substitutionOf(image) !== null;
  return {
    count: names.filter((name) => images.get(name)?.some(isSubstituted)).length,
    unknown: names.filter((name) => !images.has(name)).length,
  };
}
