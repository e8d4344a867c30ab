import { expect, it } from "vitest";
import { substitutionOf } from "./substitutions.js";

it.each([
  ["busybox:1.37.0-1", false],
  ["busybox:1.36.1-1", true],
  ["agnhost:2.63.0", false],
  ["agnhost:2.55", true],
  ["nginx:1.27-0", true],
  ["nginx-light:1", false],
  ["etcd:3.6.8-0", false],
])("%s is substituted: %s", (image, is) => {
  expect(substitutionOf(image) !== null).toBe(is);
});
