import { readFile } from "node:fs/promises";
import { cpus, loadavg, release, totalmem } from "node:os";
import { repositoryPath } from "../scripts/programs/repository.js";
import { readVersions } from "../scripts/programs/versions.js";

/** What a figure depends on beside the code. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** Major and minor version of Linux. */
  readonly kernel: string;
  /** Mean number of runnable processes in the minute before the run: more than 0.5 disturbs. */
  readonly loadBefore: number;
}

export function thisMachine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: /^\d+\.\d+/.exec(release())?.[0] ?? release(),
    loadBefore: loadavg()[0] ?? 0,
  };
}

/** Versions of sandkube, of its parts and of the peers, by name. */
export async function measuredVersions(): Promise<Record<string, string>> {
  const { version, components } = readVersions();
  return {
    sandkube: version,
    ...components,
    kwok: await requiredVersion("bench/kwok/go.mod", "sigs.k8s.io/kwok"),
    coredns: await requiredVersion("bench/coredns/go.mod", "github.com/coredns/coredns"),
  };
}

/** The version of a module that a go.mod of the checkout requires. */
async function requiredVersion(file: string, module: string): Promise<string> {
  const text = await readFile(repositoryPath(file), "utf8");
  const fields = text.split("\n").map((line) =>
    line
      .trim()
      .replace(/^require /, "")
      .split(" "),
  );
  const version = fields.find(([path]) => path === module)?.[1];
  if (version === undefined) throw new Error(`${file} requires no ${module}`);
  return version;
}
