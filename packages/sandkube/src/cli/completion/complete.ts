import type { Argument, Command, Option } from "commander";
import type { ClusterFlags } from "../options.js";
import { valuesFor, type Candidate, type Values } from "./values.js";

/** The innermost command that some words name. */
export function commandOf(program: Command, words: readonly string[]): Command {
  return walk(program, words).command;
}

/** A bundled tool whose arguments are typed, the words after its name, and for which cluster it runs. */
export interface ToolCompletion {
  tool: string;
  words: readonly string[];
  flags: ClusterFlags;
}

/** Which bundled tool takes the last of some words that follow the program's name; null when none does. */
export function toolOf(program: Command, words: readonly string[]): ToolCompletion | null {
  const { tool, rest } = walk(program, words.slice(0, -1));
  if (tool === null) return null;
  const own = words.slice(0, words.length - 1 - rest.length);
  return { tool, words: [...rest, words.at(-1) ?? ""], flags: clusterFlagsIn(own) };
}

/** What can stand in the place of the last of some words that follow the program's name; it may be empty. */
export async function complete(program: Command, words: readonly string[]): Promise<Values> {
  const current = words.at(-1) ?? "";
  const place = walk(program, words.slice(0, -1));
  if (place.option !== null) return startingWith(current, await valuesOf(place.option, words));

  const [, flag, value = ""] = /^(--[^=]+)=(.*)$/.exec(current) ?? [];
  if (flag !== undefined) {
    const option = optionNamed(place.command, flag);
    if (option === undefined) return [];
    const values = startingWith(value, await valuesOf(option, words));
    if (values === "files") return values;
    return values.map((candidate) => ({ ...candidate, value: `${flag}=${candidate.value}` }));
  }
  if (current.startsWith("-")) return startingWith(current, optionsOf(place.command));
  const argument = place.command.registeredArguments[place.positionals];
  const last = place.command.registeredArguments.at(-1);
  const values = await valuesOf(argument ?? (last?.variadic ? last : undefined), words);
  if (values === "files") return values;
  const commands = place.positionals === 0 ? subcommandsOf(place.command) : [];
  return startingWith(current, [...commands, ...values]);
}

interface Place {
  command: Command;
  /** How many arguments the command has already. */
  positionals: number;
  /** The option whose value comes next. */
  option: Option | null;
  /** The bundled tool whose arguments the rest are. */
  tool: string | null;
  rest: readonly string[];
}

/** Where the command line stands after some words. */
function walk(program: Command, words: readonly string[]): Place {
  const place: Place = { command: program, positionals: 0, option: null, tool: null, rest: [] };
  for (const [index, word] of words.entries()) {
    if (place.option !== null) {
      place.option = null;
    } else if (word.startsWith("-")) {
      const option = optionNamed(place.command, word);
      place.option = option?.required || option?.optional ? option : null;
    } else {
      const child = place.positionals === 0 ? commandNamed(place.command, word) : undefined;
      if (child === undefined) {
        place.positionals += 1;
        continue;
      }
      place.command = child;
      if (takesAnything(child)) {
        return { ...place, tool: child.name(), rest: words.slice(index + 1) };
      }
    }
  }
  return place;
}

/** Whether a command hands all that follows to another program. */
function takesAnything(command: Command): boolean {
  const [argument] = command.registeredArguments;
  return argument?.name() === "arguments" && argument.variadic;
}

function commandNamed(command: Command, word: string): Command | undefined {
  return visibleCommands(command).find(
    (child) => child.name() === word || child.aliases().includes(word),
  );
}

function optionNamed(command: Command, word: string): Option | undefined {
  return command.options.find(({ long, short }) => long === word || short === word);
}

function subcommandsOf(command: Command): Candidate[] {
  return visibleCommands(command).map((child) => ({
    value: child.name(),
    meaning: child.summary() || child.description(),
  }));
}

function visibleCommands(command: Command): Command[] {
  return [...command.createHelp().visibleCommands(command)];
}

function optionsOf(command: Command): Candidate[] {
  return command.options.flatMap(({ long, description }) =>
    long === undefined || long === null ? [] : [{ value: long, meaning: description }],
  );
}

async function valuesOf(
  what: Option | Argument | undefined,
  words: readonly string[],
): Promise<Values> {
  if (what === undefined) return [];
  const choices = what.argChoices;
  if (choices !== undefined) return choices.map((value) => ({ value }));
  const placeholder = /[<[]([\w-]+)/.exec("flags" in what ? what.flags : `<${what.name()}`);
  return await valuesFor(placeholder?.[1] ?? "", clusterFlagsIn(words.slice(0, -1)));
}

/** The cluster that some words name. */
function clusterFlagsIn(words: readonly string[]): ClusterFlags {
  const [name, data] = [valueIn(words, "--name"), valueIn(words, "--data")];
  return { ...(name === undefined ? {} : { name }), ...(data === undefined ? {} : { data }) };
}

/** The value of an option in either of its forms. */
function valueIn(words: readonly string[], flag: string): string | undefined {
  const index = words.findLastIndex((word) => word === flag || word.startsWith(`${flag}=`));
  const word = words[index];
  return word === flag ? words[index + 1] : word?.slice(flag.length + 1);
}

function startingWith(prefix: string, values: Values): Values {
  if (values === "files") return values;
  return values.filter(({ value }) => value.startsWith(prefix));
}
