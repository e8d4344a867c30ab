import { expect, it } from "vitest";
import { markdownOf, textOf } from "./table.js";

const section = {
  title: "Times",
  rows: [
    ["figure", "g26", "bare"],
    ["node Ready", "5.10", "12.00"],
    ["pods", "", "1.00"],
  ],
};

it("aligns a table for a terminal", () => {
  expect(textOf([section])).toBe(
    [
      "Times",
      "",
      "  figure       g26   bare",
      "  node Ready  5.10  12.00",
      "  pods               1.00",
      "",
    ].join("\n"),
  );
});

it("writes the same table as Markdown", () => {
  expect(markdownOf([section])).toBe(
    [
      "## Times",
      "",
      "| figure | g26 | bare |",
      "| --- | ---: | ---: |",
      "| node Ready | 5.10 | 12.00 |",
      "| pods |  | 1.00 |",
      "",
    ].join("\n"),
  );
});
