import { readEnvironment } from "../config/environment.js";
import { locatePrograms, type Programs } from "../runtime/locate-programs.js";
import { packageVersion } from "../runtime/package-version.js";

/** Where sandkube finds clusters and programs, when that is not left to the environment. */
export interface SurroundingsOptions {
  /** Absolute path of the directory that holds all clusters. */
  dataDirectory?: string | undefined;
  /** Absolute path of the directory of sandkube's programs. */
  programsDirectory?: string | undefined;
}

/** The options that every operation on one cluster takes. */
export interface ClusterReference extends SurroundingsOptions {
  /** By default the one that SANDKUBE_CLUSTER names, else `default`. */
  name?: string | undefined;
}

/** What an operation works with. */
export interface Surroundings {
  dataDirectory: string;
  programsOverride: string | undefined;
  clusterName: string;
  /** Finds the programs; throws as {@link locatePrograms} does. */
  locate(): Promise<Programs>;
}

/** Completes what the caller says by the environment. Throws E_CONFIG. */
export function surroundingsOf(options: ClusterReference): Surroundings {
  const environment = readEnvironment(process.env, process.geteuid?.() ?? 0);
  const programsOverride = options.programsDirectory ?? environment.programs;
  const dataDirectory = options.dataDirectory ?? environment.dataDirectory;
  return {
    dataDirectory,
    programsOverride,
    clusterName: options.name ?? environment.cluster ?? "default",
    locate: async () =>
      await locatePrograms({
        override: programsOverride,
        dataDirectory,
        version: await packageVersion(),
      }),
  };
}
