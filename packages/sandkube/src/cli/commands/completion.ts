import { Argument, type Command } from "commander";
import { complete, toolOf, type ToolCompletion } from "../completion/complete.js";
import { completeCommand, completionScript, shells, type Shell } from "../completion/scripts.js";
import { clusterReference } from "../options.js";
import { printLines } from "../perform.js";

/** Bits of the answer's last line, as cobra defines them. */
const directives = { files: 0, nothingElse: 4 } as const;

export function registerCompletion(program: Command): void {
  program
    .command("completion")
    .summary("print a shell completion script")
    .description(
      "Prints a completion script. It completes commands, options, clusters, images and what kubectl and helm complete.",
    )
    .addArgument(new Argument("<shell>", "the shell").choices(shells))
    .addHelpText(
      "after",
      `
To have it in every shell, add to
  ~/.bashrc                   source <(${program.name()} completion bash)
  ~/.zshrc                    source <(${program.name()} completion zsh)
  ~/.config/fish/config.fish  ${program.name()} completion fish | source`,
    )
    .action((shell: Shell) => {
      process.stdout.write(completionScript(shell, program.name()));
    });
  program
    .command(completeCommand, { hidden: true })
    .description("Prints what can stand in the place of the last word, for completion scripts.")
    .argument("[words...]")
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (words: string[]) => {
      // Whoever presses Tab wants candidates or nothing.
      process.exitCode = await answer(program, words).catch(() => 1);
    });
}

async function answer(program: Command, words: string[]): Promise<number> {
  const asked = toolOf(program, words);
  if (asked !== null) return await askTool(asked);
  const values = await complete(program, words);
  if (values === "files") {
    printLines([`:${directives.files}`]);
  } else {
    const lines = values.map(({ value, meaning }) => (meaning ? `${value}\t${meaning}` : value));
    printLines([...lines, `:${directives.nothingElse}`]);
  }
  return 0;
}

/** kubectl and helm answer by themselves; ctr does not speak this language. */
async function askTool({ tool, words, flags }: ToolCompletion): Promise<number> {
  if (tool !== "kubectl" && tool !== "helm") return 1;
  const { shellExitCode, startTool } = await import("../../quick.js");
  const child = await startTool(tool, [completeCommand, ...words], clusterReference(flags));
  return shellExitCode(await child.exited);
}
