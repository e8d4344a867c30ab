import type { Userlands } from "./userland.js";

/** What goes into an image and how a container of it starts; the archive tool's terms. */
export interface ImageRecipe {
  /** Sources of the file system, in order: `--file`, `--dir` and `--link` of the archive tool. */
  readonly content: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  /** User id; default root. */
  readonly user?: string;
}

/** The parts that images are made of, as paths on this machine. */
export interface ImageParts {
  readonly userlands: Userlands;
  readonly agnhost: string;
  readonly sampleApiserver: string;
  readonly nonewprivs: string;
  readonly etcd: string;
  /** Sources of Kubernetes' test images, `test/images` of its repository. */
  readonly sources: string;
}
