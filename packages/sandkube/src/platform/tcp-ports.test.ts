import { createServer, type AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { findPortOwner, isPortFree, listeningInodes } from "./tcp-ports.js";

async function listen(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ host, port: 0 }, resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test("a port is taken while somebody listens on it, at the address or at all of them", async () => {
  const port = await listen("127.0.0.1");
  expect(await isPortFree("127.0.0.1", port)).toBe(false);
  expect(await isPortFree("0.0.0.0", port)).toBe(false);
});

test("looking at a free port leaves it free", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  expect(await isPortFree("127.0.0.1", port)).toBe(true);
  expect(await isPortFree("127.0.0.1", port)).toBe(true);
});

test("the owner of a port is found", async () => {
  const owner = await findPortOwner(await listen("127.0.0.1"));
  expect(owner?.pid).toBe(process.pid);
  expect(owner?.command).toContain("node");
});

test("only sockets in state LISTEN on the very port count", () => {
  const table = [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
    "   0: 0100007F:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1",
    "   1: 0100007F:192B 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 12 1",
    "   2: 0100007F:2B00 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 13 1",
  ].join("\n");
  expect(listeningInodes(table, 6443)).toEqual(["11"]);
});
