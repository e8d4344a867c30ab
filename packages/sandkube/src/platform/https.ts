import { Agent, request } from "node:https";
import { isIP } from "node:net";

/** The answer to one request; `body` is text. */
export interface HttpsResponse {
  status: number;
  body: string;
}

export interface HttpsRequest {
  /** Default GET. */
  method?: "GET" | "PATCH";
  path: string;
  /** What is sent, with its content type. */
  body?: { type: string; text: string };
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** Credentials of a client, each in PEM. */
export interface ClientCredentials {
  certificateAuthority: string;
  certificate: string;
  key: string;
}

/** Speaks to one HTTPS server over connections that are kept open between requests. */
export class HttpsClient implements Disposable {
  readonly #agent: Agent;
  readonly #server: URL;

  constructor(server: string, credentials: ClientCredentials) {
    this.#server = new URL(server);
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: 4,
      ca: credentials.certificateAuthority,
      cert: credentials.certificate,
      key: credentials.key,
      // A server name indication may not be an IP address (RFC 6066, section 3).
      ...(isIP(this.#server.hostname) ? { servername: "" } : {}),
    });
  }

  /** Sends one request. Rejects when there is no answer within the limit or no connection. */
  async send(options: HttpsRequest): Promise<HttpsResponse> {
    const { method = "GET", path, timeoutMs, signal } = options;
    signal?.throwIfAborted();
    // Not AbortSignal.any: what it makes hangs on to the caller's signal, request after request.
    const ending = new AbortController();
    const abort = () => ending.abort(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    const late = new Error(`${method} ${path}: no answer within ${timeoutMs} ms`);
    const timer = setTimeout(() => ending.abort(late), timeoutMs);
    try {
      return await this.#exchange({ ...options, signal: ending.signal });
    } catch (error) {
      ending.signal.throwIfAborted();
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  #exchange({ method = "GET", path, body, signal }: HttpsRequest): Promise<HttpsResponse> {
    const headers = {
      accept: "application/json",
      ...(body === undefined ? {} : { "content-type": body.type }),
    };
    return new Promise((resolve, reject) => {
      const outgoing = request(
        new URL(path, this.#server),
        { method, agent: this.#agent, signal, headers },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
          incoming.on("error", reject);
          incoming.on("end", () => {
            resolve({
              status: incoming.statusCode ?? 0,
              body: Buffer.concat(chunks).toString("utf8"),
            });
          });
        },
      );
      outgoing.on("error", reject);
      outgoing.end(body?.text);
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
