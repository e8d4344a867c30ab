import { describe, expect, it } from "vitest";
import { adaptationsDoc } from "./generate-adaptations-doc.js";
import { cliDoc } from "./generate-cli-doc.js";
import { configFiles } from "./generate-config-doc.js";
import { errorsDoc } from "./generate-errors-doc.js";
import { protocolFiles } from "./generate-protocol.js";
import { troubleshootingDoc, wronglyCovered } from "./generate-troubleshooting-doc.js";
import { committedContent } from "./generated-file.js";

const files = [
  ...(await protocolFiles()),
  ...(await configFiles()),
  await adaptationsDoc(),
  await cliDoc(),
  await errorsDoc(),
  await troubleshootingDoc(),
];

describe("generated files", () => {
  it.each(files)("$path is up to date", ({ path, content }) => {
    expect(committedContent(path), "run `npm run generate`").toBe(content);
  });
});

it("docs/troubleshooting.md has a row for every error code", () => {
  expect(wronglyCovered()).toEqual([]);
});
