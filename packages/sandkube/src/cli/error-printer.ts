import type { SandkubeError } from "../index.js";
import type { ErrorLine } from "./json-lines.js";
import { styleOf, type Style } from "./style.js";

const shownOutputLines = 10;

/**
 * The text that a person gets for a failure: message, what the failed part wrote last,
 * where its log lies, and what to do. With `stack`, also where the error arose.
 */
export function formatError(
  error: SandkubeError,
  { style, stack }: { style: Style; stack: boolean },
): string {
  const lines = [`${style.red("Error:")} ${error.message} ${style.dim(`(${error.code})`)}`];
  const { output, log } = error.details;
  if (Array.isArray(output) && output.length > 0) {
    lines.push("", "Last output:");
    for (const line of output.slice(-shownOutputLines)) lines.push(style.dim(`  ${String(line)}`));
  }
  if (typeof log === "string") lines.push("", `Log: ${log}`);
  if (error.hint !== undefined) lines.push("", `Hint: ${error.hint}`);
  if (error.code === "E_INTERNAL" && !stack) {
    lines.push("", "This is a defect in sandkube. SANDKUBE_DEBUG=1 shows where it arose.");
  }
  if (stack) lines.push("", ...stacksOf(error));
  return `${lines.join("\n")}\n`;
}

function stacksOf(error: unknown): string[] {
  const stacks: string[] = [];
  for (let current = error; current instanceof Error; current = current.cause) {
    stacks.push(current.stack ?? String(current));
  }
  return stacks;
}

/**
 * Prints whatever was thrown: for people on standard error and, with `json`, as one line
 * on standard output too. Gives the exit code.
 */
export async function printError(
  thrown: unknown,
  options: { json?: boolean } = {},
): Promise<number> {
  const { SandkubeError } = await import("../quick.js");
  const error = SandkubeError.from(thrown);
  if (options.json) {
    const line: ErrorLine = { type: "error", error: error.toJSON() };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
  process.stderr.write(
    formatError(error, {
      style: styleOf(process.stderr),
      stack: process.env["SANDKUBE_DEBUG"] === "1",
    }),
  );
  return error.exitCode;
}
