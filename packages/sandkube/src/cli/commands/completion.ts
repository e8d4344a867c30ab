import { Argument, type Command } from "commander";
import { completionScript } from "../reports/completion-script.js";

const shells = ["bash", "zsh", "fish"] as const;
type Shell = (typeof shells)[number];

export function registerCompletion(program: Command): void {
  program
    .command("completion")
    .summary("print a shell completion script")
    .description(
      "Prints a completion script, for example for `source <(sandkube completion bash)`.",
    )
    .addArgument(new Argument("<shell>").choices(shells))
    .action((shell: Shell) => {
      process.stdout.write(completionScript(shell, program));
    });
}
