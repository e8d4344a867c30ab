import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { repositoryPath } from "../scripts/programs/repository.js";
import { Newcomer, newcomerPaths } from "./harness/newcomer.js";
import { packForRegistry } from "./harness/packages.js";

const wanted = `@sandkube/runtime-linux-${process.arch}`;
const hello = "/hello";

let packages: string;

beforeAll(async () => {
  packages = await mkdtemp(join(tmpdir(), "sandkube-packages-"));
  await packForRegistry(join(packages, "registry"));
});

const arrival = () => ({
  packages: join(packages, "registry"),
  extraMounts: [{ source: repositoryPath("examples/hello/manifests"), destination: hello }],
});

afterAll(async () => {
  await rm(packages, { recursive: true, force: true });
});

/** A cluster with a Deployment behind a Service, from `up` to `delete`. */
async function smoke(newcomer: Newcomer, project: string): Promise<void> {
  await newcomer.do(
    project,
    `sandkube up
sandkube image load /images/hello.tar
sandkube kubectl apply -f ${hello}
sandkube kubectl rollout status deployment/hello --timeout=120s`,
    300_000,
  );
  const address = "sandkube kubectl get service hello -o 'jsonpath={.spec.clusterIP}'";
  const ask = `node ${newcomerPaths.inside}/get-http.mjs "http://$(${address})/"`;
  expect(await newcomer.do(project, ask)).toContain("Hello from pod hello-");
  expect(await newcomer.do(project, "sandkube helm list --all-namespaces")).toContain("NAMESPACE");
  await newcomer.do(project, "sandkube delete", 200_000);
}

describe("a newcomer in g26 with Debian", () => {
  let newcomer: Newcomer;
  beforeAll(async () => {
    newcomer = await Newcomer.arrive({ kind: "g26", ...arrival() });
  });
  afterAll(async () => {
    await newcomer?.sandbox[Symbol.asyncDispose]();
  });

  it("is told what --omit=optional left out; the repair command makes it a working cluster", async () => {
    const project = "/root/omitted";
    const tools = await newcomer.shell("/root", "command -v go gcc cc docker; ls -A /sandkube");
    expect(tools).toMatchObject({ stdout: "" });
    await newcomer.do(project, "npm init --yes; npm install --omit=optional sandkube");
    const failed = await newcomer.shell(project, "sandkube up --json");
    expect(failed).toMatchObject({ exitCode: 12 });
    const command = repairOf(failed.stdout, "E_PROGRAMS_MISSING", "--omit=optional");
    await newcomer.do(project, command);
    expect(await newcomer.do(project, "ls node_modules node_modules/@sandkube")).toBe(
      `node_modules:\n@sandkube\nsandkube\n\nnode_modules/@sandkube:\n${wanted.split("/")[1]}\n`,
    );
    await newcomer.do(project, "sandkube programs verify");
    await smoke(newcomer, project);
  });

  it("is told of a lock file made elsewhere, and of executable bits that a copy lost", async () => {
    const project = "/root/foreign";
    await newcomer.do(
      project,
      `npm init --yes; npm install --package-lock-only sandkube
node -e '
  const lock = JSON.parse(fs.readFileSync("package-lock.json"));
  for (const key of Object.keys(lock.packages)) if (key.includes("@sandkube/")) delete lock.packages[key];
  delete lock.packages["node_modules/sandkube"].optionalDependencies;
  fs.writeFileSync("package-lock.json", JSON.stringify(lock));'
npm ci`,
    );
    const failed = await newcomer.shell(project, "sandkube up --json");
    const command = repairOf(failed.stdout, "E_PROGRAMS_MISSING", "made on another platform");
    await newcomer.do(project, command);
    await newcomer.do(project, "sandkube programs verify");

    await newcomer.do(project, `chmod -R a-x node_modules/${wanted}/bin/*`);
    const copied = await newcomer.shell(project, "sandkube doctor --json");
    expect(copied).toMatchObject({ exitCode: 29 });
    const repair = repairOf(copied.stdout, "E_NOT_EXECUTABLE", "lost their executable bits");
    expect(await newcomer.do(project, repair)).toContain("/var/lib/sandkube/.programs-");
    await newcomer.do(project, "sandkube doctor");

    // A byte that changed on its way is found before it is run.
    const damage = `chmod u+w node_modules/${wanted}/bin/runc; printf x | dd of=node_modules/${wanted}/bin/runc bs=1 seek=5000 conv=notrunc 2>&1`;
    const damaged = await newcomer.shell(project, `${damage}; sandkube programs install`);
    expect(damaged).toMatchObject({ exitCode: 13 });
    expect(damaged.stderr).toContain("damaged: runc");
  });
});

describe("a newcomer in g24 with musl", () => {
  it("has a working cluster from a read-only node_modules", async () => {
    const newcomer = await Newcomer.arrive({ kind: "g24", userland: "musl", ...arrival() });
    await using _sandbox = newcomer.sandbox;
    const project = "/root/project";
    await newcomer.do(
      project,
      `! ls /lib/*/libc.so.6 /lib64 2>/dev/null
npm init --yes; npm install sandkube
mount -o bind node_modules node_modules; mount -o remount,bind,ro node_modules node_modules
! touch node_modules/new 2>/dev/null`,
    );
    await smoke(newcomer, project);
  });
});

/** The repair command of the error in `--json` output, after a look at its code and its reason. */
function repairOf(stdout: string, code: string, reason: string): string {
  const { error } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as {
    error: { code: string; message: string; hint: string; details: { command: string } };
  };
  expect(error).toMatchObject({ code, message: expect.stringContaining(reason) as string });
  expect(error.hint).toContain(error.details.command);
  return error.details.command;
}
