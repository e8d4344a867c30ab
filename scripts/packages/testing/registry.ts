import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

interface Packument {
  name: string;
  "dist-tags": Record<string, string>;
  versions: Record<string, { dist: { tarball: string } }>;
}

interface Publication extends Packument {
  _attachments: Record<string, { data: string }>;
}

/** A registry of npm packages on the loopback address that takes publications, for tests. */
export class TestingRegistry implements AsyncDisposable {
  /** What was changed, in order, such as `publish sandkube next`. */
  readonly changes: string[] = [];
  readonly #packages = new Map<string, Packument>();
  readonly #files = new Map<string, Buffer>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request)
        .then((body) => response.writeHead(body === null ? 404 : 200).end(body ?? "{}"))
        .catch((error: unknown) => response.writeHead(500).end(String(error)));
    });
  }

  static async start(): Promise<TestingRegistry> {
    const registry = new TestingRegistry();
    await new Promise<void>((resolve) => registry.#server.listen(0, "127.0.0.1", resolve));
    return registry;
  }

  /** Host and port. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  tagsOf(name: string): Record<string, string> | undefined {
    return this.#packages.get(name)?.["dist-tags"];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage): Promise<Buffer | string | null> {
    const { pathname } = new URL(request.url ?? "/", "http://registry.example");
    const path = decodeURIComponent(pathname).slice(1);
    const tag = /^-\/package\/(.+)\/dist-tags(?:\/(.+))?$/.exec(path);
    if (request.method !== "PUT") {
      const name = tag?.[1] ?? path;
      const found = this.#packages.get(name);
      if (tag !== null) return JSON.stringify(found?.["dist-tags"] ?? {});
      return this.#files.get(path) ?? (found === undefined ? null : JSON.stringify(found));
    }
    const body = JSON.parse((await buffer(request)).toString()) as unknown;
    if (tag?.[1] !== undefined && tag[2] !== undefined) {
      const found = this.#packages.get(tag[1]);
      if (found !== undefined) found["dist-tags"][tag[2]] = String(body);
      this.changes.push(`tag ${tag[1]} ${tag[2]}`);
    } else {
      this.#publish(path, body as Publication);
    }
    return "{}";
  }

  #publish(name: string, { _attachments: attachments, ...packument }: Publication): void {
    this.#packages.set(name, packument);
    const [attachment] = Object.values(attachments);
    for (const { dist } of Object.values(packument.versions)) {
      const path = `files/${name}.tgz`;
      dist.tarball = `http://${this.address}/${path}`;
      this.#files.set(path, Buffer.from(attachment?.data ?? "", "base64"));
    }
    this.changes.push(`publish ${name} ${Object.keys(packument["dist-tags"]).join()}`);
  }
}
