import { describe, expect, it } from "vitest";
import { parseOptions, UsageError } from "./options.js";

describe("parseOptions", () => {
  it("measures everything five times unless told otherwise", () => {
    expect(parseOptions([])).toEqual({
      network: false,
      soak: false,
      images: false,
      runs: 5,
      kinds: ["g26", "g24", "bare"],
      json: false,
      write: false,
      build: true,
      help: false,
    });
  });

  it("takes what it is told", () => {
    const options = parseOptions(["--runs", "2", "--only", "bare,g26", "--no-build", "--json"]);
    expect(options).toMatchObject({ runs: 2, kinds: ["g26", "bare"], build: false, json: true });
  });

  it("measures the network when it is told to", () => {
    expect(parseOptions(["--network", "--soak"])).toMatchObject({ network: true, soak: true });
  });

  it.each([
    { args: ["--soak"], says: /--network/ },
    { args: ["--images", "--network"], says: /--network/ },
    { args: ["--runs", "0"], says: /--runs/ },
    { args: ["--runs", "2.5"], says: /2\.5/ },
    { args: ["--only", "g26,g22"], says: /not g22/ },
    { args: ["--only", ""], says: /--only/ },
    { args: ["--quick"], says: /--quick/ },
    { args: ["g26"], says: /g26/ },
  ])("refuses $args", ({ args, says }) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(says);
  });
});
