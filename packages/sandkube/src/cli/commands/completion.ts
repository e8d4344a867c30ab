import { Argument, type Command } from "commander";

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
    .action(async (shell: Shell) => {
      const { completionScript } = await import("../reports/completion-script.js");
      process.stdout.write(completionScript(shell, program));
    });
}
