import { SandkubeError } from "../errors.js";
import { HttpsClient } from "../platform/https.js";
import type { KubeconfigCredentials } from "./kubeconfig.js";

const requestTimeoutMs = 10_000;

/** Reads a few resources of a cluster's API; disposing closes its connections. */
export class KubeClient implements Disposable {
  readonly #https: HttpsClient;

  constructor(credentials: KubeconfigCredentials) {
    this.#https = new HttpsClient(credentials.server, credentials);
  }

  /**
   * Reads an object or a health endpoint. Null when there is none (status 404);
   * rejects when the server does not answer or answers with another error.
   */
  async get(path: string, signal?: AbortSignal): Promise<string | null> {
    const { status, body } = await this.#https.get({
      path,
      timeoutMs: requestTimeoutMs,
      signal,
    });
    if (status === 404) return null;
    if (status !== 200) throw refusal(path, status, body);
    return body;
  }

  /** As {@link get}, for an answer in JSON. */
  async getObject(path: string, signal?: AbortSignal): Promise<unknown> {
    const body = await this.get(path, signal);
    return body === null ? null : (JSON.parse(body) as unknown);
  }

  [Symbol.dispose](): void {
    this.#https[Symbol.dispose]();
  }
}

function refusal(path: string, status: number, body: string): SandkubeError {
  return new SandkubeError("E_START", `GET ${path}: the API server answered ${status}`, {
    details: { status, body: body.slice(0, 2_000) },
  });
}
