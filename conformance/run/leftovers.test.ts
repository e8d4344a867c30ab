import { expect, it } from "vitest";
import { added } from "./leftovers.js";

it("finds what is there more often than before", () => {
  const before = ["link eth0", "mount /a", "mount /a"];
  expect(added(before, ["mount /a", "link eth0", "mount /a"])).toEqual([]);
  expect(added(before, ["mount /a", "mount /a", "mount /a", "link veth1"])).toEqual([
    "mount /a",
    "link veth1",
  ]);
});
