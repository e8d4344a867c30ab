#!/usr/bin/env node
import { CommanderError } from "commander";
import { printError } from "./error-printer.js";
import { createProgram } from "./program.js";
import { onOutputError, onProgressError } from "./unread-output.js";
import { usageError } from "./usage-error.js";

const usageExitCode = 2;

// The library is loaded after this: stack traces in it then name its source files.
if (process.env["SANDKUBE_DEBUG"] === "1") process.setSourceMapsEnabled(true);

process.stdout.on("error", onOutputError);
process.stderr.on("error", onProgressError);

const words = process.argv.slice(2);
const program = createProgram();
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) {
    process.exitCode = await printError(error);
  } else if (error.exitCode === 0) {
    process.exitCode = 0;
  } else if (error.code === "commander.help") {
    // A group of commands without one of them: its help has been printed.
    process.exitCode = usageExitCode;
  } else {
    const json = words.includes("--json");
    process.exitCode = await printError(await usageError(error, program, words), { json });
  }
}
