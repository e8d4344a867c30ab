import { createInterface } from "node:readline";
import type { Sandbox } from "../../lab/src/index.js";
import type { ConformanceImages } from "../images/conformance-images.js";

const startLimitMs = 60_000;
const yamlPath = "/tmp/conformance-registries.yaml";

/**
 * Starts a registry in the sandbox, with the suite's images, and writes a registries.yaml by which it
 * is the mirror of every registry that the suite names: an image that is to be pulled always is pulled
 * from there. Returns the file's path inside. The registry ends with the sandbox.
 */
export async function startImageRegistry(
  sandbox: Sandbox,
  images: ConformanceImages,
  signal: AbortSignal,
): Promise<string> {
  const child = sandbox.spawn(
    [
      "node",
      `${sandbox.checkout}/conformance/inside/registry.mjs`,
      sandbox.pathInside(images.directory),
      JSON.stringify(images.aliases),
    ],
    { signal },
  );
  child.stderr.resume();
  const limit = AbortSignal.any([signal, AbortSignal.timeout(startLimitMs)]);
  const port = await firstLine(createInterface({ input: child.stdout, signal: limit }));
  if (port === null) {
    signal.throwIfAborted();
    throw new Error(`the registry in the sandbox did not tell its port in ${startLimitMs} ms`);
  }
  const written = await sandbox.exec(["tee", yamlPath], {
    stdin: registriesYaml(images.registries, port),
    signal,
    timeoutMs: startLimitMs,
  });
  if (written.exitCode !== 0) throw new Error(`${yamlPath} can not be written: ${written.stderr}`);
  return yamlPath;
}

/** Null when the output ends without one. */
async function firstLine(lines: AsyncIterable<string>): Promise<string | null> {
  for await (const line of lines) return line;
  return null;
}

/** The configuration by which a registry at a port of the loopback address mirrors others. */
export function registriesYaml(mirrored: readonly string[], port: string): string {
  const mirrors = mirrored.map(
    (registry) => `  "${registry}": {endpoint: ["http://127.0.0.1:${port}"]}\n`,
  );
  return `mirrors:\n${mirrors.join("")}`;
}
