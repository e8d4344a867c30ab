import { createConnection, type Socket } from "node:net";
import { once } from "node:events";
import { StringDecoder } from "node:string_decoder";
import { errnoOf } from "./files.js";

/**
 * The longest path, in bytes, that a unix socket can have: sun_path of unix(7) is
 * 108 bytes, its final NUL included.
 */
export const maxSocketPathBytes = 107;

/** How connecting fails without a listener; ECONNRESET: it ended before it took the connection. */
const nobodyListens: ReadonlySet<string> = new Set(["ENOENT", "ECONNREFUSED", "ECONNRESET"]);

/** Connects to a unix socket; null when nobody listens there. */
async function connect(socketPath: string, signal?: AbortSignal): Promise<Socket | null> {
  signal?.throwIfAborted();
  const socket = createConnection({ path: socketPath });
  try {
    await once(socket, "connect", signal ? { signal } : {});
    return socket;
  } catch (error) {
    socket.destroy();
    signal?.throwIfAborted();
    if (nobodyListens.has(errnoOf(error) ?? "")) return null;
    throw error;
  }
}

/** Whether some process accepts connections on a unix socket. */
export async function isListening(socketPath: string, signal?: AbortSignal): Promise<boolean> {
  const socket = await connect(socketPath, signal);
  socket?.destroy();
  return socket !== null;
}

/**
 * Sends one request, as a line of JSON, and gives an async iterable of the lines of
 * JSON that come back, until the other side closes. Null when nobody listens at the
 * path. Ends quietly when the peer dies; rejects with the signal's reason when
 * aborted. The connection is closed when the iteration ends for any reason.
 */
export async function requestLines(
  socketPath: string,
  request: unknown,
  signal?: AbortSignal,
): Promise<AsyncIterable<unknown> | null> {
  const socket = await connect(socketPath, signal);
  if (socket === null) return null;
  socket.write(`${JSON.stringify(request)}\n`);
  return linesOf(socket, signal);
}

async function* linesOf(socket: Socket, signal?: AbortSignal): AsyncGenerator<unknown> {
  const abort = () => socket.destroy();
  signal?.addEventListener("abort", abort, { once: true });
  const decoder = new StringDecoder("utf8");
  let partial = "";
  try {
    for await (const chunk of socket) {
      signal?.throwIfAborted();
      const lines = (partial + decoder.write(chunk as Buffer)).split("\n");
      partial = lines.pop() ?? "";
      yield* lines.flatMap(parseLine);
    }
    yield* parseLine(partial);
  } catch (error) {
    signal?.throwIfAborted();
    // A peer that dies resets the connection, which means the same as closing it.
    if (!(error instanceof Error && "code" in error)) throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
    socket.destroy();
  }
}

/** The value of a line, if it is one: a peer killed while it writes leaves a part of a line. */
function parseLine(line: string): unknown[] {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}
