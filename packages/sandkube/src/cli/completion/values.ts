import { clusterReference, type ClusterFlags } from "../options.js";

export interface Candidate {
  value: string;
  /** For people, where their shell shows it. */
  meaning?: string;
}

/** Candidates, or that the shell should offer files. */
export type Values = Candidate[] | "files";

const files = new Set(["archive", "directory", "file", "path", "source"]);
/** Asking containerd takes long where the machine is busy; a shell that hangs is worse than no answer. */
const imagesTimeoutMs = 2_000;

/**
 * The values of an option or argument, by what its placeholder calls them, such as `cluster` in
 * `--name <cluster>`. None for what has too many or takes too long.
 */
export async function valuesFor(placeholder: string, flags: ClusterFlags): Promise<Values> {
  if (files.has(placeholder)) return "files";
  switch (placeholder) {
    case "cluster":
      return await clusters(flags);
    case "image":
      return await images(flags);
    case "part":
      return await parts(flags);
    case "id": {
      const { adaptations } = await import("../../index.js");
      return adaptations.map(({ id, title }) => ({ value: id, meaning: title }));
    }
    default:
      return [];
  }
}

async function clusters(flags: ClusterFlags): Promise<Candidate[]> {
  const { listClusters } = await import("../../quick.js");
  const { dataDirectory } = clusterReference(flags);
  const listed = await listClusters({ dataDirectory });
  return listed.map(({ name, status }) => ({
    value: name,
    meaning: status?.state ?? "unreadable",
  }));
}

async function parts(flags: ClusterFlags): Promise<Candidate[]> {
  const { clusterRoles } = await import("../../quick.js");
  return (await clusterRoles(clusterReference(flags))).map((value) => ({ value }));
}

async function images(flags: ClusterFlags): Promise<Candidate[]> {
  const { connectCluster } = await import("../../index.js");
  const { name, ...surroundings } = clusterReference(flags);
  const cluster = await connectCluster(name, surroundings);
  const found = await cluster.images.list(AbortSignal.timeout(imagesTimeoutMs));
  return found.map(({ name }) => ({ value: name }));
}
