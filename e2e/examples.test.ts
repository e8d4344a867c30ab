import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { repositoryPath } from "../scripts/programs/repository.js";
import { documentedScripts } from "./harness/documented-commands.js";
import { Newcomer } from "./harness/newcomer.js";
import { npmDirectory, packForRegistry } from "./harness/packages.js";
import { sandboxForSuite } from "./harness/suites.js";

const npm = "/opt/npm";
/** An example builds a cluster, waits for pods several times and takes all of it down. */
const timeoutMs = 600_000;

describe("the examples in g26", { timeout: timeoutMs }, () => {
  const sandkube = sandboxForSuite({
    kind: "g26",
    extraMounts: [{ source: npmDirectory(), destination: npm }],
  });

  /** Copies an example, with the sample application's image in it, to where it can be worked on. */
  async function workOn(example: string): Promise<string> {
    const { sandbox } = sandkube();
    const directory = `/root/${example}`;
    const copy = `cp -r "$1" "$2"; cp /images/hello.tar "$2"`;
    const source = `${sandbox.checkout}/examples/${example}`;
    const copied = await sandbox.exec(["sh", "-ec", copy, "copy", source, directory]);
    expect(copied).toMatchObject({ exitCode: 0, stderr: "" });
    return directory;
  }

  /** Runs a script that has to succeed in a directory, and returns its standard output. */
  async function run(directory: string, script: string): Promise<string> {
    const { exitCode, stdout, stderr } = await sandkube().sandbox.exec(
      ["sh", "-ec", `npm() { node ${npm}/bin/npm-cli.js "$@"; }\n${script}`],
      { cwd: directory, timeoutMs, env: { TSX_DISABLE_CACHE: "1" } },
    );
    if (exitCode !== 0) throw new Error(`${script}: exit code ${exitCode}\n${stdout}${stderr}`);
    return stdout;
  }

  it("a chart is checked, installed, tested, upgraded and rolled back", async () => {
    const directory = await workOn("chart");
    const outputs = new Map<string, string>();
    for (const script of documentedScripts("examples/chart/README.md")) {
      outputs.set(script, await run(directory, script));
    }
    const outputOf = (part: string): string =>
      [...outputs].find(([script]) => script.includes(part))?.[1] ?? "";
    expect(outputOf("helm lint")).toContain("service/shop created (server dry run)");
    expect(outputOf("helm install")).toMatch(/^Hello from pod shop-/m);
    const changed = outputOf("helm rollback");
    expect(changed.match(/^\w+(?= from pod shop-)/gm)).toEqual(["Welcome", "Hello"]);
    expect(changed).toMatch(/^3\s.*Rollback to 1/m);
    expect(JSON.parse(await sandkube().do(["list", "--json"]))).toEqual([]);
  });

  it("an operator passes its own tests", async () => {
    const directory = await workOn("operator");
    await run("/root", `ln -s ${sandkube().sandbox.checkout}/node_modules node_modules`);
    const [script = ""] = documentedScripts("examples/operator/README.md");
    const output = await run(directory, script);
    expect(output).toMatch(/^# pass 5$/m);
    expect(output).toMatch(/^# fail 0$/m);
    expect(JSON.parse(await sandkube().do(["list", "--json"]))).toEqual([]);
  });
});

interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>>;
}

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly with?: { readonly path?: string };
}

it(
  "the steps of the GitHub Actions workflow work from the packages alone, in g26",
  { timeout: timeoutMs },
  async () => {
    const path = repositoryPath("examples/github-actions/.github/workflows/chart.yml");
    const workflow = parse(await readFile(path, "utf8")) as Workflow;
    const steps = workflow.jobs["chart"]?.steps ?? [];
    const scratch = await mkdtemp(join(tmpdir(), "sandkube-packages-"));
    try {
      const packages = join(scratch, "registry");
      await packForRegistry(packages);
      const chart = { source: repositoryPath("examples/chart"), destination: "/chart" };
      const newcomer = await Newcomer.arrive({ kind: "g26", packages, extraMounts: [chart] });
      await using _sandbox = newcomer.sandbox;
      const workspace = "/root/workspace";
      const outputs: string[] = [];
      for (const step of steps) {
        outputs.push(await newcomer.do(workspace, scriptOf(step), timeoutMs));
      }
      const greetings = outputs.join("").match(/^\w+(?= from pod app-)/gm);
      expect(greetings).toEqual(["Hello", "Welcome"]);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  },
);

/** What a step does; for an action, what stands for it outside of GitHub. */
function scriptOf(step: Step): string {
  if (step.run !== undefined) return step.run;
  const [action = ""] = step.uses?.split("@") ?? [];
  if (action === "actions/checkout") return "cp -r /chart/greeter /images/hello.tar .";
  if (action === "actions/upload-artifact") return `test -s ${step.with?.path}`;
  throw new Error(`nothing stands for the action ${action}`);
}
