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

/** Versions of sandkube, of its parts and of the peer, by name. */
export async function measuredVersions(): Promise<Record<string, string>> {
  const { version, components } = readVersions();
  const kwokModule = await readFile(repositoryPath("bench/kwok/go.mod"), "utf8");
  const kwok = /^\s*sigs\.k8s\.io\/kwok (v\S+)/m.exec(kwokModule)?.[1];
  if (kwok === undefined) throw new Error("bench/kwok/go.mod requires no kwok");
  return { sandkube: version, ...components, kwok };
}
