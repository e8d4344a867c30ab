import { bootSandbox, type BootOptions, type Sandbox } from "../../lab/src/index.js";
import { repositoryPath } from "../../scripts/programs/repository.js";
import { testImages } from "../images/test-images.js";
import { npmDirectory } from "./packages.js";

const port = 4873;

/** Where things lie in a newcomer's sandbox. */
export const newcomerPaths = { packages: "/packages", npm: "/opt/npm", inside: "/inside" } as const;

export interface ArrivalOptions extends Pick<BootOptions, "kind" | "userland" | "extraMounts"> {
  /** Directory that `packForRegistry` has filled. */
  readonly packages: string;
}

/** Somebody's machine: a sandbox with Node and npm, and nothing of this project but its packages. */
export class Newcomer {
  readonly sandbox: Sandbox;

  private constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
  }

  static async arrive({
    packages,
    extraMounts = [],
    ...options
  }: ArrivalOptions): Promise<Newcomer> {
    const signal = AbortSignal.timeout(180_000);
    const { directory: imagesDirectory } = await testImages(signal);
    const sandbox = await bootSandbox({
      ...options,
      showsProject: false,
      imagesDirectory,
      extraMounts: [
        { source: packages, destination: newcomerPaths.packages },
        { source: npmDirectory(), destination: newcomerPaths.npm },
        { source: repositoryPath("e2e/inside"), destination: newcomerPaths.inside },
        ...extraMounts,
      ],
      signal,
    });
    // The root file system has a link to where a checkout would be.
    await sandbox.exec(["rm", "-f", "/usr/local/bin/sandkube"]);
    const script = `${newcomerPaths.inside}/registry.mjs`;
    const { stdout } = sandbox.spawn(["node", script, newcomerPaths.packages, `${port}`]);
    await new Promise((resolve) => stdout.once("data", resolve));
    return new Newcomer(sandbox);
  }

  /** Runs a shell script in a directory of a project, with npm and the project's commands on PATH. */
  async shell(project: string, script: string, timeoutMs = 120_000) {
    const npm = `npm() { node ${newcomerPaths.npm}/bin/npm-cli.js "$@"; }`;
    const path = `PATH="${project}/node_modules/.bin:$PATH"`;
    const lines = [`mkdir -p ${project}`, `cd ${project}`, npm, path, script];
    return await this.sandbox.exec(["sh", "-ec", lines.join("\n")], {
      timeoutMs,
      env: {
        npm_config_registry: `http://127.0.0.1:${port}/`,
        npm_config_audit: "false",
        npm_config_fund: "false",
        npm_config_update_notifier: "false",
      },
    });
  }

  /** The same for a script that has to succeed; gives its standard output. */
  async do(project: string, script: string, timeoutMs?: number): Promise<string> {
    const { exitCode, stdout, stderr } = await this.shell(project, script, timeoutMs);
    if (exitCode !== 0) throw new Error(`${script}: exit code ${exitCode}\n${stdout}${stderr}`);
    return stdout;
  }
}
