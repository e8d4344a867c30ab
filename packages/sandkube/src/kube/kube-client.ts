import { SandkubeError } from "../errors.js";
import { HttpsClient } from "../platform/https.js";
import type { KubeconfigCredentials } from "./kubeconfig.js";

const requestTimeoutMs = 10_000;

/** Who writes, as the API's field managers go. */
const fieldManager = "sandkube";

/** Reads and applies a few resources of a cluster's API; disposing closes its connections. */
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
    const { status, body } = await this.#https.send({
      path,
      timeoutMs: requestTimeoutMs,
      signal,
    });
    if (status === 404) return null;
    if (status !== 200) throw refusal("GET", path, status, body);
    return body;
  }

  /** As {@link get}, for an answer in JSON. */
  async getObject(path: string, signal?: AbortSignal): Promise<unknown> {
    const body = await this.get(path, signal);
    return body === null ? null : (JSON.parse(body) as unknown);
  }

  /**
   * Makes an object, or brings the fields that sandkube has written before to what is given
   * (https://kubernetes.io/docs/reference/using-api/server-side-apply/).
   */
  async apply(path: string, object: object, signal?: AbortSignal): Promise<void> {
    const { status, body } = await this.#https.send({
      method: "PATCH",
      path: `${path}?fieldManager=${fieldManager}&force=true`,
      body: { type: "application/apply-patch+yaml", text: JSON.stringify(object) },
      timeoutMs: requestTimeoutMs,
      signal,
    });
    if (status !== 200 && status !== 201) throw refusal("PATCH", path, status, body);
  }

  [Symbol.dispose](): void {
    this.#https[Symbol.dispose]();
  }
}

function refusal(method: string, path: string, status: number, body: string): SandkubeError {
  return new SandkubeError("E_START", `${method} ${path}: the API server answered ${status}`, {
    details: { status, body: body.slice(0, 2_000) },
  });
}
