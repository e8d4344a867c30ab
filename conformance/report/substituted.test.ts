import { describe, expect, it } from "vitest";
import { imagesOfSpecs, substituted } from "./substituted.js";

const spec = { outcome: "passed", reason: "", date: "2026-11-25" } as const;
const head = { versions: {}, total: 3 };

describe("substituted", () => {
  const images = imagesOfSpecs([
    { ...head, kind: "g24", specs: [{ ...spec, name: "a" }] },
    {
      ...head,
      kind: "g26",
      specs: [
        { ...spec, name: "a", images: ["agnhost:2.63.0", "nginx:1.27-0"] },
        { ...spec, name: "b", images: ["agnhost:2.63.0", "busybox:1.37.0-1"] },
        { ...spec, name: "c", images: [] },
      ],
    },
  ]);

  it("counts specs with such an image, whichever lab has noted it", () => {
    expect(substituted(["a", "b", "c"], images)).toEqual({ count: 1, unknown: 0 });
  });

  it("tells of how many the images are not known", () => {
    expect(substituted(["a", "d"], images)).toEqual({ count: 1, unknown: 1 });
  });
});
