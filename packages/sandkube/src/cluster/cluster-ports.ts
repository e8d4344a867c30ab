import { SandkubeError } from "../errors.js";
import { KubeClient } from "../kube/kube-client.js";
import type { KubeconfigCredentials } from "../kube/kubeconfig.js";
import {
  parsePublication,
  readPublications,
  writePublications,
  type Publication,
} from "../kube/publications.js";
import { listServicePorts, type ServicePort } from "../kube/service-ports.js";
import { findPortOwner, isPortFree } from "../platform/tcp-ports.js";

/** Where the Services of a cluster are reached from the sandbox. */
export class ClusterPorts {
  readonly #credentials: () => KubeconfigCredentials;

  constructor(credentials: () => KubeconfigCredentials) {
    this.#credentials = credentials;
  }

  /** Every port of every Service, with its addresses; published ones are among them. */
  async list(signal?: AbortSignal): Promise<ServicePort[]> {
    using client = new KubeClient(this.#credentials());
    const ports = await listServicePorts(client, signal);
    const { publications } = await readPublications(client, signal);
    for (const publication of publications) {
      const address = `127.0.0.1:${publication.hostPort}`;
      ports.find((port) => isTarget(publication, port))?.addresses.push(address);
    }
    return ports;
  }

  /** What is published, by port. */
  async published(signal?: AbortSignal): Promise<Publication[]> {
    using client = new KubeClient(this.#credentials());
    return (await readPublications(client, signal)).publications;
  }

  /**
   * Makes ports of Services reachable at ports of the sandbox, each given as
   * `HOST-PORT:NAMESPACE/SERVICE:PORT`. The Service may be made later. It stays until it is taken
   * back, also over `down` and `up`. Throws E_CONFIG, E_PORT_TAKEN or E_SERVICE.
   */
  async publish(specifications: readonly string[], signal?: AbortSignal): Promise<void> {
    const added = specifications.map(parsePublication);
    using client = new KubeClient(this.#credentials());
    const stored = await readPublications(client, signal);
    const publications = [...stored.publications];
    for (const publication of added) {
      const same = publications.findIndex((other) => isSamePort(publication, other));
      if (same >= 0) publications.splice(same, 1, publication);
      else await requireFree(publication);
      if (same < 0) publications.push(publication);
    }
    await writePublications(client, { ...stored, publications }, signal);
  }

  /** Takes publications back. Throws E_SERVICE, and changes nothing, when a port has none. */
  async unpublish(hostPorts: readonly number[], signal?: AbortSignal): Promise<void> {
    using client = new KubeClient(this.#credentials());
    const stored = await readPublications(client, signal);
    const unknown = hostPorts.find(
      (port) => !stored.publications.some(({ hostPort }) => hostPort === port),
    );
    if (unknown !== undefined) {
      throw new SandkubeError("E_SERVICE", `nothing is published at port ${unknown}`, {
        hint: "`sandkube ports` shows what is.",
      });
    }
    const publications = stored.publications.filter(
      ({ hostPort }) => !hostPorts.includes(hostPort),
    );
    await writePublications(client, { ...stored, publications }, signal);
  }
}

function isSamePort(a: Publication, b: Publication): boolean {
  return a.hostPort === b.hostPort && a.protocol === b.protocol;
}

function isTarget(publication: Publication, port: ServicePort): boolean {
  return (
    publication.namespace === port.namespace &&
    publication.service === port.service &&
    publication.protocol === port.protocol &&
    (publication.port === port.name || publication.port === `${port.port}`)
  );
}

async function requireFree({ hostPort, protocol }: Publication): Promise<void> {
  if (protocol !== "TCP") return;
  // In gVisor a listener at one address does not keep another one from all addresses.
  const free = await Promise.all(
    ["0.0.0.0", "127.0.0.1"].map((host) => isPortFree(host, hostPort)),
  );
  if (free.every(Boolean)) return;
  const owner = await findPortOwner(hostPort);
  const by = owner === null ? "" : ` by process ${owner.pid} (${owner.command})`;
  throw new SandkubeError("E_PORT_TAKEN", `port ${hostPort} is taken${by}`, {
    hint: "Publish the Service at another port, or end the process.",
    details: { port: hostPort, ...(owner === null ? {} : { owner }) },
  });
}
