import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzip } from "node:zlib";
import { promisify } from "node:util";
import { packTar } from "modern-tar";
import { SandkubeError } from "../errors.js";
import { roleNamesOf } from "../events.js";
import { maxNodes } from "../node-names.js";
import { directoriesIn, exists, readFileIfExists, tailOf } from "../platform/files.js";
import { clusterNotFound } from "../state/cluster-lock.js";
import { clusterPaths, failedLogsDirectory, type ClusterPaths } from "../state/cluster-paths.js";
import { clusterStatus } from "./cluster-status.js";
import { withoutSecrets } from "./without-secrets.js";
import { surroundingsOf, type ClusterReference } from "./surroundings.js";
import { versions } from "./versions.js";

/** Of a longer log only the end is taken. */
const maxLogBytes = 16 * 1024 * 1024;

export interface ExportedLogs {
  /** The name of the cluster. */
  name: string;
  /** A tar archive, compressed with gzip. */
  archive: Uint8Array;
  /** The names of the files in it. */
  files: string[];
}

/**
 * Collects what it takes to understand what a cluster did, in one archive: versions, the sandbox's
 * facts, the plan, the status, the configuration, and the logs of all parts; also of an `up` that failed
 * and was rolled back. Keys, certificates and kubeconfigs are left out, and passwords in URLs and
 * private keys are blotted out. Throws E_CLUSTER_NOT_FOUND.
 */
export async function exportLogs(
  options: ClusterReference & { signal?: AbortSignal | undefined } = {},
): Promise<ExportedLogs> {
  const { dataDirectory, clusterName } = surroundingsOf(options);
  const paths = clusterPaths(dataDirectory, clusterName);
  const failedLogs = failedLogsDirectory(dataDirectory, clusterName);
  if (!(await exists(paths.directory)) && !(await exists(failedLogs))) {
    throw clusterNotFound(clusterName, paths);
  }
  const texts = new Map<string, string>();
  texts.set("versions.json", toJson(await versions(options)));
  texts.set("status.json", toJson(await statusOf(options)));
  texts.set("system.txt", await systemText());
  const documents = { cluster: paths.record, facts: paths.facts, plan: paths.plan };
  const more = { "node-spec": paths.nodeSpec, host: paths.hostRecord };
  for (const [name, file] of Object.entries({ ...documents, ...more })) {
    const text = await readFileIfExists(file);
    if (text !== null) texts.set(`${name}.json`, text);
  }
  await addLogs(texts, "logs", (role) => paths.log(role));
  await addLogs(texts, "failed-up", (role) => join(failedLogs, `${role}.log`));
  options.signal?.throwIfAborted();
  return { name: clusterName, ...(await pack(`sandkube-${clusterName}`, texts)) };
}

async function addLogs(
  texts: Map<string, string>,
  folder: string,
  fileOf: ClusterPaths["log"],
): Promise<void> {
  for (const role of roleNamesOf(maxNodes)) {
    const lines = await tailOf(fileOf(role), Number.POSITIVE_INFINITY, maxLogBytes);
    if (lines.length > 0) texts.set(`${folder}/${role}.log`, `${lines.join("\n")}\n`);
  }
}

async function pack(
  folder: string,
  texts: ReadonlyMap<string, string>,
): Promise<Omit<ExportedLogs, "name">> {
  const mtime = new Date();
  const entries = [...texts].map(([name, text]) => {
    const body = new TextEncoder().encode(withoutSecrets(text));
    return { header: { name: `${folder}/${name}`, size: body.length, mode: 0o600, mtime }, body };
  });
  const archive = await promisify(gzip)(await packTar(entries));
  return { archive, files: entries.map(({ header }) => header.name) };
}

/** A cluster whose status can not be told is what logs are exported for. */
async function statusOf(options: ClusterReference): Promise<unknown> {
  try {
    return await clusterStatus(options);
  } catch (error) {
    return { error: SandkubeError.from(error) };
  }
}

/** What the kernel tells of the machine: what is mounted, memory, processes by name. */
async function systemText(): Promise<string> {
  const files = [
    "/proc/version",
    "/proc/meminfo",
    "/proc/mounts",
    "/proc/loadavg",
    "/etc/os-release",
  ];
  const sections = await Promise.all(
    files.map(async (file) => `== ${file}\n${await readFile(file, "utf8").catch(String)}`),
  );
  const names = await Promise.all(
    (await directoriesIn("/proc"))
      .filter((name) => /^\d+$/.test(name))
      .map(
        async (pid) => `${pid} ${await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "\n")}`,
      ),
  );
  return [...sections, `== processes\n${names.join("")}`].join("\n");
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
