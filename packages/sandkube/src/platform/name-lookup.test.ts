import { createSocket } from "node:dgram";
import { once } from "node:events";
import { expect, it } from "vitest";
import { lookUpAt } from "./name-lookup.js";

/** A name server that answers every question with 192.0.2.1, or with nothing at all. */
async function nameServer(answers: boolean): Promise<Disposable & { address: string }> {
  const socket = createSocket("udp4");
  socket.on("message", (query, { address, port }) => {
    if (!answers) return;
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(0x8180, 2); // a response without an error
    header.writeUInt16BE(1, 6); // with one answer
    header.writeUInt32BE(0, 8);
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    const answer = Buffer.from("c00c00010001000000050004c0000201", "hex");
    socket.send(Buffer.concat([header, question, answer]), port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    address: `127.0.0.1:${socket.address().port}`,
    [Symbol.dispose]: () => socket.close(),
  };
}

const never = new AbortController().signal;

it("gives the addresses that the server answers with", async () => {
  using server = await nameServer(true);
  const options = { timeoutMs: 5_000, signal: never };
  expect(await lookUpAt(server.address, "a.test", options)).toEqual(["192.0.2.1"]);
});

it("gives up on a server that does not answer", async () => {
  using server = await nameServer(false);
  const options = { timeoutMs: 50, signal: never };
  await expect(lookUpAt(server.address, "a.test", options)).rejects.toMatchObject({
    code: "ETIMEOUT",
  });
});

it("ends when it is aborted", async () => {
  using server = await nameServer(false);
  const options = { timeoutMs: 60_000, signal: AbortSignal.timeout(50) };
  await expect(lookUpAt(server.address, "a.test", options)).rejects.toMatchObject({
    code: "ECANCELLED",
  });
});
