import { describe, expect, it } from "vitest";
import { parseClusterOptions } from "../config/cluster-options.js";
import { checkRanges } from "./check-ranges.js";

const options = parseClusterOptions({ dataDirectory: "/data" });

function refusal(...addresses: string[]) {
  try {
    checkRanges(
      options,
      addresses.map((address) => ({ link: "eth0", address })),
    );
    return null;
  } catch (error) {
    return error;
  }
}

describe("checkRanges", () => {
  it("takes networks that overlap neither range", () => {
    expect(refusal("10.44.0.1/16", "192.168.0.7/24")).toBeNull();
  });

  it.each([
    ["10.42.7.1/24", "the pod range 10.42.0.0/16 overlaps the network of the link eth0"],
    ["10.43.255.255/32", "the Service range 10.43.0.0/16 overlaps"],
    // The address is in neither range, other hosts of its network are.
    ["10.0.0.7/8", "the pod range 10.42.0.0/16 overlaps"],
  ])("refuses %s: %s", (address, message) => {
    expect(refusal(address)).toMatchObject({
      code: "E_RANGE_TAKEN",
      message: expect.stringContaining(message),
    });
  });

  it.each([
    [["10.42.7.1/24"], "--pod-range 10.44.0.0/16"],
    [["10.43.7.1/24", "10.44.0.1/15"], "--service-range 172.30.0.0/16"],
    [["10.0.0.7/8", "172.16.0.1/12"], "--pod-range 192.168.0.0/17"],
  ])("suggests a range that is free beside %j: %s", (addresses, suggested) => {
    expect(refusal(...addresses)).toMatchObject({ hint: expect.stringContaining(suggested) });
  });
});
