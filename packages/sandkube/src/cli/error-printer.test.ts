import { expect, test } from "vitest";
import { SandkubeError } from "../errors.js";
import { formatError } from "./error-printer.js";
import { styleOf } from "./style.js";

const style = styleOf({ isTTY: false });

test("message, code, last output, log and hint are shown, in this order", () => {
  const error = new SandkubeError("E_START", "the kubelet has ended", {
    hint: "Look at the log.",
    details: { log: "/data/one/logs/node.log", output: ["first", "second"] },
  });
  expect(formatError(error, { style, stack: false })).toBe(`Error: the kubelet has ended (E_START)

Last output:
  first
  second

Log: /data/one/logs/node.log

Hint: Look at the log.
`);
});

test("only the last ten lines of output are shown", () => {
  const output = Array.from({ length: 12 }, (_, line) => `line ${line}`);
  const error = new SandkubeError("E_START", "ended", { details: { output } });
  const text = formatError(error, { style, stack: false });
  expect(text).not.toContain("line 1\n");
  expect(text).toContain("line 2\n");
  expect(text).toContain("line 11\n");
});

test("stacks, of the causes too, are shown only when asked for", () => {
  const error = SandkubeError.from(new TypeError("deep"));
  expect(formatError(error, { style, stack: false })).not.toContain("error-printer.test");
  expect(formatError(error, { style, stack: false })).toContain("SANDKUBE_DEBUG=1");
  expect(formatError(error, { style, stack: true })).toContain("TypeError: deep");
});
