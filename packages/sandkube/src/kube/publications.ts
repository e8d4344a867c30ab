import { z } from "zod";
import { SandkubeError } from "../errors.js";
import type { KubeClient } from "./kube-client.js";

/** The ConfigMap that the network role follows. */
const path = "/api/v1/namespaces/kube-system/configmaps/sandkube-published-ports";

/** A port of a Service that is reached at a port of the sandbox. */
export interface Publication {
  /** Port of the sandbox, on all of its addresses. */
  hostPort: number;
  protocol: "TCP" | "UDP";
  namespace: string;
  service: string;
  /** Name or number of the Service's port. */
  port: string;
}

const pattern =
  /^(?<host>\d{1,5}):(?<namespace>[a-z0-9-]+)\/(?<service>[a-z0-9-]+):(?<port>[a-z0-9-]+)(?:\/(?<protocol>tcp|udp))?$/;

/** Reads `8080:default/web:http` or `5353:default/dns:53/udp`. Throws E_CONFIG. */
export function parsePublication(text: string): Publication {
  const groups = pattern.exec(text)?.groups;
  const hostPort = Number(groups?.["host"]);
  if (groups === undefined || hostPort < 1 || hostPort > 65535) {
    throw new SandkubeError("E_CONFIG", `"${text}" does not say what to publish where`, {
      hint: "Write HOST-PORT:NAMESPACE/SERVICE:PORT, such as 8080:default/web:http, with /udp at the end for UDP.",
    });
  }
  const { namespace = "", service = "", port = "", protocol } = groups;
  return { hostPort, protocol: protocol === "udp" ? "UDP" : "TCP", namespace, service, port };
}

const storedSchema = z.object({
  metadata: z.object({ resourceVersion: z.string() }),
  data: z.record(z.string(), z.string()).default({}),
});

/** What is published, by port, and the version to which changes refer. */
export interface StoredPublications {
  publications: Publication[];
  /** Null when nothing has ever been published. */
  resourceVersion: string | null;
}

export async function readPublications(
  client: KubeClient,
  signal?: AbortSignal,
): Promise<StoredPublications> {
  const object = await client.getObject(path, signal);
  if (object === null) return { publications: [], resourceVersion: null };
  const { metadata, data } = storedSchema.parse(object);
  const publications = Object.entries(data)
    .map(([key, target]) => parseEntry(key, target))
    .toSorted((a, b) => a.hostPort - b.hostPort);
  return { publications, resourceVersion: metadata.resourceVersion };
}

/** Fails when someone else has changed what is published since it was read. */
export async function writePublications(
  client: KubeClient,
  { publications, resourceVersion }: StoredPublications,
  signal?: AbortSignal,
): Promise<void> {
  const object = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: path.slice(path.lastIndexOf("/") + 1),
      ...(resourceVersion === null ? {} : { resourceVersion }),
    },
    data: Object.fromEntries(publications.map(formatEntry)),
  };
  await client.apply(path, object, signal);
}

/** An entry of the ConfigMap: `tcp-8080` for `default/web:http`. */
function formatEntry({ hostPort, protocol, namespace, service, port }: Publication): string[] {
  return [`${protocol.toLowerCase()}-${hostPort}`, `${namespace}/${service}:${port}`];
}

function parseEntry(key: string, target: string): Publication {
  const [protocol, hostPort] = key.split("-");
  return parsePublication(`${hostPort}:${target}/${protocol}`);
}
