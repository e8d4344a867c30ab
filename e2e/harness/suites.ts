import { afterAll, beforeAll, beforeEach } from "vitest";
import { testImages } from "../images/test-images.js";
import { bootSandbox, LabError, type BootOptions, type Sandbox } from "../../lab/src/index.js";
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

/**
 * The same with a cluster in it that is up and has the test images; `prepare` then does what all
 * tests need.
 */
export function clusterForSuite(
  options: SuiteOptions,
  prepare: (sandkube: Sandkube) => Promise<void> = async () => undefined,
): () => Sandkube {
  return suite(options, async (sandkube) => {
    await sandkube.do(["up"]);
    await loadTestImages(sandkube);
    await prepare(sandkube);
  });
}

/**
 * Options of a test during which gVisor itself is known to crash now and then: where the whole
 * sandbox died, and for no other failure, the test is run once more, in a new sandbox.
 */
export const onceMoreIfTheSandboxDies = {
  retry: { count: 1, condition: /the sandbox died/ },
};

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
  const start = async (): Promise<void> => {
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
  };
  beforeAll(start);
  afterAll(async () => {
    await booted?.sandbox[Symbol.asyncDispose]();
  });
  beforeEach(async ({ onTestFailed }) => {
    if (!(await lives(current().sandbox))) {
      await current().sandbox[Symbol.asyncDispose]();
      await start();
    }
    onTestFailed(async ({ task }) => {
      console.error(`after "${task.name}" failed:\n${await diagnose(current().sandbox, user)}`);
    });
  });
  return current;
}

async function lives(sandbox: Sandbox): Promise<boolean> {
  try {
    await sandbox.exec(["true"]);
    return true;
  } catch (error) {
    if (error instanceof LabError && error.code === "E_LAB_SANDBOX_DIED") return false;
    throw error;
  }
}
