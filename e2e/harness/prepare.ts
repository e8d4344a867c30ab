import { prepare, sandboxKinds } from "../../lab/src/index.js";
import { testImages } from "../images/test-images.js";

const limitMs = 40 * 60_000;

/** Makes once, before the first test, what takes long: the sandboxes' parts and the test images. */
export async function setup(): Promise<void> {
  const signal = AbortSignal.timeout(limitMs);
  const report = (line: string): void => console.error(line);
  await prepare({ kinds: sandboxKinds, userlands: ["bookworm", "trixie", "musl"], signal, report });
  await testImages(signal);
}
