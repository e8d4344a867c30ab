import { runCommandLine } from "./command-line.js";

const controller = new AbortController();
process.on("SIGTERM", () => controller.abort(new Error("ended by SIGTERM")));
process.on("SIGHUP", () => controller.abort(new Error("ended by SIGHUP")));
// On a terminal Ctrl-C also reaches the command inside, which decides what it means.
process.on("SIGINT", () => {
  if (!process.stdin.isTTY) controller.abort(new Error("ended by SIGINT"));
});
process.exitCode = await runCommandLine(process.argv.slice(2), controller.signal);
