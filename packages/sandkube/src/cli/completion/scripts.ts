import type { Command } from "commander";

/** What can follow a command: its subcommands and long options. */
interface Entry {
  /** The words from the program's name on, such as `image load`; empty for the program. */
  path: string;
  summary: string;
  words: string[];
}

/** A completion script for the commands, subcommands and long options of a program. */
export function completionScript(shell: "bash" | "zsh" | "fish", program: Command): string {
  const entries = entriesOf(program, "");
  switch (shell) {
    case "bash":
      return bashScript(program.name(), entries);
    case "zsh":
      // zsh's bashcompinit runs completion functions written for bash.
      return `#compdef ${program.name()}\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(program.name(), entries)}`;
    case "fish":
      return fishScript(program.name(), entries);
  }
}

function entriesOf(command: Command, path: string): Entry[] {
  const options = command.options.flatMap((option) => option.long ?? []);
  const names = command.commands.map((child) => child.name());
  const own = { path, summary: command.description(), words: [...names, ...options] };
  return [
    own,
    ...command.commands.flatMap((child) =>
      entriesOf(child, path === "" ? child.name() : `${path} ${child.name()}`),
    ),
  ];
}

function bashScript(program: string, entries: readonly Entry[]): string {
  const cases = entries
    .map(({ path, words }) => `    "${path}") words="${words.join(" ")}" ;;`)
    .join("\n");
  return `_${program}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  case "$path" in
${cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${program} ${program}
`;
}

function fishScript(program: string, entries: readonly Entry[]): string {
  const lines = entries.flatMap(({ path, words }) => {
    const condition =
      path === ""
        ? "__fish_use_subcommand"
        : path
            .split(" ")
            .map((word) => `__fish_seen_subcommand_from ${word}`)
            .join("; and ");
    return words.map((word) => {
      const child = entries.find((entry) => entry.path === `${path} ${word}`.trim());
      const what = word.startsWith("--")
        ? `-l ${word.slice(2)}`
        : `-f -a ${word} -d ${quote(child?.summary ?? "")}`;
      return `complete -c ${program} -n ${quote(condition)} ${what}`;
    });
  });
  return `${lines.join("\n")}\n`;
}

function quote(text: string): string {
  return `'${text.replaceAll(/['\\]/g, "\\$&")}'`;
}
