import { readFileSync } from "node:fs";
import { repositoryPath } from "./repository.js";

/** Content of runtime/versions.json, the one place that pins versions. */
export interface Versions {
  /** sandkube's own version. */
  readonly version: string;
  readonly components: {
    readonly kubernetes: string;
    readonly etcd: string;
    readonly helm: string;
    readonly containerd: string;
    readonly runc: string;
    readonly pause: string;
  };
}

export function readVersions(): Versions {
  return JSON.parse(readFileSync(repositoryPath("runtime/versions.json"), "utf8")) as Versions;
}
