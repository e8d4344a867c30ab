import type { Command, CommanderError } from "commander";
import type { SandkubeError } from "../index.js";
import { commandOf } from "./completion/complete.js";

/** What is wrong with a command line, in the form of all other errors, with the command to look at. */
export async function usageError(
  thrown: CommanderError,
  program: Command,
  words: readonly string[],
): Promise<SandkubeError> {
  const { SandkubeError } = await import("../quick.js");
  const [reason = "", ...suggestions] = thrown.message.replace(/^error: /, "").split("\n");
  const names: string[] = [];
  let command: Command | null = commandOf(program, words);
  for (; command !== null; command = command.parent) names.unshift(command.name());
  return new SandkubeError("E_USAGE", [reason.replace(/\.$/, ""), ...suggestions].join(" "), {
    hint: `\`${names.join(" ")} --help\` shows what can be said.`,
  });
}
