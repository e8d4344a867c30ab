import { spawn } from "node:child_process";

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A command that could not be started or did not end with exit code 0. */
export class CommandError extends Error {
  override readonly name = "CommandError";

  constructor(argv: readonly string[], outcome: string, output: string) {
    const tail = output.trimEnd().split("\n").slice(-30).join("\n");
    super(`${argv.join(" ")}: ${outcome}${tail === "" ? "" : `\n${tail}`}`);
  }
}

/** Runs a command to its end and returns its standard output. */
export async function run(
  argv: readonly [string, ...string[]],
  options: CommandOptions = {},
): Promise<string> {
  const [program, ...args] = argv;
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let both = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
    both += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    both += chunk;
  });
  return await new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new CommandError(argv, error.message, both)));
    child.once("close", (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new CommandError(argv, signal ?? `exit code ${code}`, both));
    });
  });
}
