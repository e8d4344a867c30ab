#!/usr/bin/env node
import { CommanderError } from "commander";
import { printError } from "./error-printer.js";
import { createProgram } from "./program.js";

const usageExitCode = 2;

// The library is loaded after this: stack traces in it then name its source files.
if (process.env["SANDKUBE_DEBUG"] === "1") process.setSourceMapsEnabled(true);

// `sandkube logs | head` closes the pipe early, which is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

try {
  await createProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : usageExitCode;
  } else {
    process.exitCode = await printError(error);
  }
}
