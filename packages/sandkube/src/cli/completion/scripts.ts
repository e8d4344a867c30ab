export const shells = ["bash", "zsh", "fish"] as const;

export type Shell = (typeof shells)[number];

/** The command that the scripts ask what can follow; it answers as cobra's `__complete` does. */
export const completeCommand = "__complete";

/** A script for a shell that asks the program itself what can follow the words so far. */
export function completionScript(shell: Shell, program: string): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](program);
}

// bash breaks words at : and = too, and replaces only what follows the last of them.
const bashScript = (program: string): string => `_${program}() {
  local line word value directive
  local -a words answer
  line="\${COMP_LINE:0:COMP_POINT}"
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  local current="\${words[-1]}"
  mapfile -t answer < <("\${words[0]}" ${completeCommand} -- "\${words[@]:1}" 2>/dev/null </dev/null)
  ((\${#answer[@]})) || return 0
  directive="\${answer[-1]#:}"
  unset 'answer[-1]'
  word="\${COMP_WORDS[COMP_CWORD]}"
  [[ $word == [:=] ]] && word=""
  for value in "\${answer[@]}"; do
    value="\${value%%$'\\t'*}"
    [[ $value == "$current"* ]] && COMPREPLY+=("\${value#"\${current%"$word"}"}")
  done
  ((directive & 2)) && compopt -o nospace
  ((\${#COMPREPLY[@]} == 0 && !(directive & 4))) && compopt -o default
  return 0
}
complete -F _${program} ${program}
`;

const zshScript = (program: string): string => `#compdef ${program}
_${program}() {
  local line directive
  local -a answer candidates
  answer=("\${(@f)$("\${words[1]}" ${completeCommand} -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null </dev/null)}")
  directive="\${answer[-1]#:}"
  [[ $directive == <-> ]] || return 1
  for line in "\${(@)answer[1,-2]}"; do
    candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}\${\${(M)line%%$'\\t'*}:+:\${line#*$'\\t'}}")
  done
  if ((\${#candidates})); then
    if ((directive & 2)); then _describe ${program} candidates -S ''; else _describe ${program} candidates; fi
  elif ((!(directive & 4))); then
    _files
  fi
}
if [[ "\${funcstack[1]}" == _${program} ]]; then
  _${program} "$@"
else
  (($+functions[compdef])) || { autoload -Uz compinit && compinit; }
  compdef _${program} ${program}
fi
`;

const fishScript = (program: string): string => `function __${program}_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l answer ($words[1] ${completeCommand} -- $words[2..] "$current" 2>/dev/null </dev/null)
  set -l directive (string replace -rf '^:(\\d+)$' '$1' -- $answer[-1])
  test -n "$directive"; or return
  set -e answer[-1]
  if test (count $answer) -gt 0
    printf '%s\\n' $answer
  else if test (math "bitand($directive, 4)") -eq 0
    __fish_complete_path "$current"
  end
end
complete -c ${program} -f -a '(__${program}_complete)'
`;
