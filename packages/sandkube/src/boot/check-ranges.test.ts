import { expect, test } from "vitest";
import { parseClusterOptions } from "../config/cluster-options.js";
import { checkRanges } from "./check-ranges.js";

const options = parseClusterOptions({ dataDirectory: "/data" });

test("an address of the sandbox in the pod or the Service range is refused", () => {
  expect(() => checkRanges(options, [{ link: "eth0", address: "10.42.7.1" }])).toThrow(
    "the pod range 10.42.0.0/16 contains 10.42.7.1, the address of the link eth0",
  );
  expect(() => checkRanges(options, [{ link: "eth0", address: "10.43.255.255" }])).toThrow(
    "the Service range",
  );
});

test("other addresses are no hindrance", () => {
  const networks = [{ link: "eth0", address: "10.44.0.1" }];
  expect(() => checkRanges(options, networks)).not.toThrow();
});
