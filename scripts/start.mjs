/**
 * `npm start`: from a fresh clone to a running cluster with the sample application, right here.
 * Everything that is there already is kept, so that a second run takes seconds.
 */
import { mkdirSync } from "node:fs";
import { get } from "node:http";
import { homedir } from "node:os";
import { join } from "node:path";
import {
  buildPackage,
  buildPrograms,
  checkMachine,
  checkout,
  command,
  FailedCommand,
  installPackages,
  SetUpError,
} from "./set-up.mjs";

const cli = join(checkout, "packages/sandkube/dist/cli/main.js");
const image = "sandkube.local/hello:1";
const answerTimeoutMs = 15_000;

async function start() {
  checkMachine();
  if (process.getuid() !== 0) {
    throw new SetUpError(
      "A node needs root: run `npm start` as root.\n" +
        "Without root there is a control plane: `npm run build && npm run build:programs && npx sandkube up --control-plane`.",
    );
  }
  await step("npm packages", installPackages);
  await step("the sandkube CLI", buildPackage);
  await step("the sandkube programs", buildPrograms);
  await step("cluster", () => sandkube("up"));
  await step("sample image", loadSampleImage);
  await step("sample application", applySample);
  const { url, answer } = await step("its answer", askSample);
  process.stdout.write(`\nGET ${url}\n${answer}\n`);
  await sandkube("kubectl", "get", "pods,services", "-A");
  process.stdout.write(`
Next:
  npx sandkube status                     what runs
  npx sandkube kubectl get nodes -o wide  Kubernetes' own command-line tool
  npx sandkube ports                      where Services are reached from the sandbox
  npx sandkube doctor                     what was adapted to this sandbox, and why
  npx sandkube down                       stop the cluster; \`npx sandkube up\` resumes it
  npx sandkube delete                     remove the cluster and all its data
`);
}

/** Runs one step and says on standard error what it was and how long it took. */
async function step(name, action) {
  const startedAt = Date.now();
  process.stderr.write(`==> ${name}\n`);
  const result = await action();
  process.stderr.write(`    ${name}: ${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`);
  return result;
}

function sandkube(...args) {
  return command(process.execPath, [cli, ...args]);
}

async function loadSampleImage() {
  const source = join(checkout, "examples/hello");
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const directory = join(cache, "sandkube/examples");
  mkdirSync(directory, { recursive: true });
  const program = join(directory, "hello");
  const archive = join(directory, "hello.tar");
  await command(
    "go",
    ["build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", program, "."],
    {
      cwd: source,
      environment: { CGO_ENABLED: "0" },
    },
  );
  const builder = await command(
    process.execPath,
    ["--import", "tsx", "scripts/build-programs.ts", "--tool", "image-archive"],
    { output: "return" },
  );
  await command(
    builder.trim(),
    ["-o", archive, "-ref", image, "-entrypoint", "/hello", "-user", "65532:65532"].concat([
      "-file",
      `${program}:/hello:0755`,
    ]),
    { output: "none" },
  );
  await sandkube("image", "load", archive);
}

async function applySample() {
  await sandkube("kubectl", "apply", "-f", join(checkout, "examples/hello/manifests"));
  await sandkube("kubectl", "rollout", "status", "deployment/hello", "--timeout=180s");
}

async function askSample() {
  const address = await command(
    process.execPath,
    [cli, "kubectl", "get", "service", "hello", "-o", "jsonpath={.spec.clusterIP}"],
    { output: "return" },
  );
  const url = `http://${address}/`;
  return { url, answer: await fetchText(url) };
}

function fetchText(url) {
  return new Promise((resolve, reject) => {
    const fail = (cause) =>
      reject(
        new SetUpError(
          `The sample application does not answer at ${url}: ${cause.message}.\n` +
            "See `npx sandkube kubectl logs deployment/hello` and `npx sandkube status`.",
        ),
      );
    const signal = AbortSignal.timeout(answerTimeoutMs);
    get(url, { signal }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
      response.once("error", fail).once("end", () => resolve(text));
    }).once("error", fail);
  });
}

try {
  await start();
} catch (error) {
  if (!(error instanceof SetUpError || error instanceof FailedCommand)) throw error;
  process.stderr.write(`\nnpm start: ${error.message}\n`);
  process.exitCode = error instanceof FailedCommand ? error.exitCode : 1;
}
