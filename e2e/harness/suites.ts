import { afterAll, beforeAll, beforeEach } from "vitest";
import { testImages } from "../images/test-images.js";
import { bootSandbox, type BootOptions } from "../../lab/src/index.js";
import { diagnose } from "./diagnosis.js";
import { Sandkube } from "./sandkube.js";

const bootTimeoutMs = 120_000;

export interface SuiteOptions extends Omit<BootOptions, "signal" | "imagesDirectory"> {
  /** Who runs the commands; default root. */
  readonly user?: number;
}

/**
 * Gives the tests of the surrounding `describe` a sandbox of their own, without a cluster. A failed
 * test prints what the cluster was doing. The result may be called once the tests run.
 */
export function sandboxForSuite(options: SuiteOptions): () => Sandkube {
  return suite(options, async () => undefined);
}

/** The same with a cluster in it that is up and has the test images. */
export function clusterForSuite(options: SuiteOptions): () => Sandkube {
  return suite(options, async (sandkube) => {
    await sandkube.do(["up"]);
    await loadTestImages(sandkube);
  });
}

/** Loads the test images into the cluster `default`. */
export async function loadTestImages(sandkube: Sandkube): Promise<void> {
  const { directory, archives } = await testImages(AbortSignal.timeout(bootTimeoutMs));
  const paths = archives.map((name) => sandkube.sandbox.pathInside(`${directory}/${name}`));
  await sandkube.do(["image", "load", ...paths]);
}

function suite(
  { user, ...boot }: SuiteOptions,
  prepare: (sandkube: Sandkube) => Promise<void>,
): () => Sandkube {
  let booted: Sandkube | null = null;
  const current = (): Sandkube => {
    if (booted === null) throw new Error("the sandbox of these tests is not up");
    return booted;
  };
  beforeAll(async () => {
    const signal = AbortSignal.timeout(bootTimeoutMs);
    const { directory } = await testImages(signal);
    const sandbox = await bootSandbox({ ...boot, imagesDirectory: directory, signal });
    booted = new Sandkube(sandbox, user);
    try {
      await prepare(booted);
    } catch (error) {
      console.error(await diagnose(sandbox, user));
      throw error;
    }
  });
  afterAll(async () => {
    await booted?.sandbox[Symbol.asyncDispose]();
  });
  beforeEach(({ onTestFailed }) => {
    onTestFailed(async ({ task }) => {
      console.error(`after "${task.name}" failed:\n${await diagnose(current().sandbox, user)}`);
    });
  });
  return current;
}
