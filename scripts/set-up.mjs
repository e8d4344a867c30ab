/**
 * What has to be there before anything else runs. Plain JavaScript on Node's own modules alone,
 * because it runs before the npm packages are installed.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const checkout = dirname(dirname(fileURLToPath(import.meta.url)));

const leastNode = [20, 19];
const leastGo = [1, 21];

/** A condition that the user can mend; its message says how. */
export class SetUpError extends Error {}

/** Fails unless this machine has what sandkube is built with. */
export function checkMachine() {
  if (process.platform !== "linux") {
    throw new SetUpError(`sandkube runs on Linux only, this is ${process.platform}.`);
  }
  const node = process.versions.node.split(".").map(Number);
  if (isOlder(node, leastNode)) {
    throw new SetUpError(
      `Node.js ${process.versions.node} is too old: install ${leastNode.join(".")} or later (https://nodejs.org).`,
    );
  }
  const { stdout, error } = spawnSync("go", ["env", "GOVERSION"], { encoding: "utf8" });
  if (error) {
    throw new SetUpError(
      "Go is not installed, and sandkube's programs are built with it: install it from https://go.dev/dl and put it on PATH.",
    );
  }
  const version = stdout.trim().replace(/^go/, "");
  // Since 1.21 Go fetches by itself the later version that a module asks for.
  if (isOlder(version.split(".").map(Number), leastGo)) {
    throw new SetUpError(`Go ${version} is too old: install 1.26 or later (https://go.dev/dl).`);
  }
}

function isOlder([major = 0, minor = 0], [leastMajor, leastMinor]) {
  return major < leastMajor || (major === leastMajor && minor < leastMinor);
}

/** Whether the programs need not be built: a directory was named or the platform package is there. */
export function hasPrebuiltPrograms() {
  if (process.env.SANDKUBE_PROGRAMS) return true;
  try {
    const require = createRequire(join(checkout, "packages/sandkube/package.json"));
    require.resolve(`@sandkube/runtime-linux-${process.arch}/package.json`);
    return true;
  } catch {
    return false;
  }
}

/** Installs the npm packages of the lock file unless they are there already. */
export async function installPackages() {
  const marker = join(checkout, "node_modules/.sandkube-lock");
  const hash = createHash("sha256");
  for (const file of ["package.json", "packages/sandkube/package.json", "package-lock.json"]) {
    hash.update(readFileSync(join(checkout, file)));
  }
  const wanted = hash.digest("hex");
  if (existsSync(marker) && readFileSync(marker, "utf8") === wanted) return;
  await command("npm", ["ci", "--no-audit", "--no-fund"], { output: "stderr" });
  writeFileSync(marker, wanted);
}

/** Compiles the TypeScript library and CLI to packages/sandkube/dist. */
export async function buildPackage() {
  await command("npm", ["run", "--silent", "build"], { output: "stderr" });
}

/** Builds the Go programs where none are installed. */
export async function buildPrograms() {
  if (hasPrebuiltPrograms()) return;
  await command(process.execPath, ["--import", "tsx", "scripts/build-programs.ts"], {
    output: "none",
  });
}

/** Path of the script of an npm tool, to be run by Node without npx in between. */
export function tool(name) {
  return join(checkout, "node_modules/.bin", name);
}

/** A command that did not end with exit code 0; its own output says why. */
export class FailedCommand extends Error {
  constructor(name, code, signal) {
    super(`${name} failed with ${signal ?? `exit code ${code}`}`);
    this.exitCode = code ?? 1;
  }
}

/**
 * Runs a command in the checkout. Its standard output goes to ours, to standard error, nowhere, or is
 * returned, by `output`.
 */
export async function command(program, args, options = {}) {
  const output = { inherit: "inherit", stderr: 2, none: "ignore", return: "pipe" };
  const child = spawn(program, args, {
    cwd: options.cwd ?? checkout,
    env: { ...process.env, ...options.environment },
    stdio: ["inherit", output[options.output ?? "inherit"], "inherit"],
  });
  // Ctrl-C reaches the child too, which cleans up and ends; this process waits for it.
  const wait = () => {};
  process.on("SIGINT", wait);
  try {
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (chunk) => (text += chunk));
    const [code, signal] = await new Promise((resolve, reject) => {
      child.once("error", (error) => reject(new SetUpError(`${program}: ${error.message}`)));
      child.once("close", (...outcome) => resolve(outcome));
    });
    if (code !== 0) throw new FailedCommand([program, ...args.slice(0, 3)].join(" "), code, signal);
    return options.output === "return" ? text : undefined;
  } finally {
    process.off("SIGINT", wait);
  }
}
