import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "./testing/temporary-directory.js";
import { isListening, requestLines } from "./unix-socket.js";

/** A server that answers each request line through a function; gives its path. */
async function serve(answer: (request: string, socket: Socket) => void): Promise<string> {
  const path = join(await temporaryDirectory(), "test.sock");
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", (data) => answer(data.toString("utf8"), socket));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return path;
}

async function collect(lines: AsyncIterable<unknown> | null): Promise<unknown[]> {
  const collected: unknown[] = [];
  for await (const line of lines ?? []) collected.push(line);
  return collected;
}

test("a request gets all lines up to the end, however they are cut into packets", async () => {
  const path = await serve((request, socket) => {
    socket.write(`{"echo":${request.trim()}}\n{"part"`);
    setTimeout(() => socket.end(':1}\n\n{"last":true}'), 20);
  });
  const lines = await requestLines(path, { command: "status" });
  expect(await collect(lines)).toEqual([
    { echo: { command: "status" } },
    { part: 1 },
    { last: true },
  ]);
});

test("a half line of a peer that dies is left out", async () => {
  const path = await serve((_request, socket) => {
    socket.write('{"whole":1}\n{"ha', () => socket.destroy());
  });
  expect(await collect(await requestLines(path, {}))).toEqual([{ whole: 1 }]);
});

test("an aborted request rejects with the signal's reason", async () => {
  const path = await serve((_request, socket) => void socket.write('{"n":1}\n'));
  const controller = new AbortController();
  const lines = await requestLines(path, {}, controller.signal);
  const reading = (async () => {
    for await (const _line of lines ?? []) controller.abort(new Error("enough"));
  })();
  await expect(reading).rejects.toThrow("enough");
});

test("nobody listens where there is no socket, nor at one whose owner has ended", async () => {
  const path = join(await temporaryDirectory(), "missing.sock");
  expect(await isListening(path)).toBe(false);
  expect(await requestLines(path, {})).toBeNull();
});

test("a live server listens", async () => {
  expect(await isListening(await serve(() => {}))).toBe(true);
});
