import * as fs from "node:fs/promises";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { parseClusterOptions } from "../config/cluster-options.js";
import { configFileSchema, parseConfigFile, type ConfigFile } from "../config/config-file.js";
import { SandkubeError } from "../errors.js";
import { parsePublication } from "../kube/publications.js";

/**
 * Reads the configuration of a cluster from a file or a stream, in YAML or JSON: sandkube's own
 * `sandkube.dev/v1alpha1`, or kind's `v1alpha4` for what applies here. Throws E_CONFIG that names every
 * unknown key and invalid value.
 */
export async function readClusterConfig(source: string | Readable): Promise<ConfigFile> {
  if (typeof source !== "string") return parseConfigFile(await text(source), "the configuration");
  let content: string;
  try {
    content = await fs.readFile(source, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SandkubeError("E_CONFIG", `the configuration can not be read: ${reason}`, {
      details: { file: source },
      cause,
    });
  }
  return parseConfigFile(content, source);
}

/**
 * As {@link readClusterConfig}, and checks what the settings are together for a new cluster that has the
 * defaults for all else: ranges that overlap, ports of two purposes, publications. Starts nothing.
 */
export async function checkClusterConfig(source: string | Readable): Promise<ConfigFile> {
  const config = await readClusterConfig(source);
  parseClusterOptions({ ...config.options, dataDirectory: "/" });
  config.publish.forEach(parsePublication);
  return config;
}

/** The JSON Schema of the configuration `sandkube.dev/v1alpha1`. */
export function clusterConfigSchema(): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(configFileSchema, { io: "input" });
  return { $schema, title: "A cluster of sandkube, version sandkube.dev/v1alpha1", ...rest };
}
