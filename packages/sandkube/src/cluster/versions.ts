import { SandkubeError } from "../errors.js";
import { packageVersion } from "../runtime/package-version.js";
import { surroundingsOf, type SurroundingsOptions } from "./surroundings.js";

export interface Versions {
  /** The version of this package. */
  sandkube: string;
  /** The programs that `up` would start; null, with the reason, when there are none. */
  programs: { directory: string; components: Record<string, string> } | null;
  missing: SandkubeError | null;
}

/** The versions of this package and of what its programs are built from. */
export async function versions(options: SurroundingsOptions = {}): Promise<Versions> {
  const sandkube = await packageVersion();
  try {
    const { directory, components } = await surroundingsOf(options).locate();
    return { sandkube, programs: { directory, components }, missing: null };
  } catch (error) {
    return { sandkube, programs: null, missing: SandkubeError.from(error) };
  }
}
