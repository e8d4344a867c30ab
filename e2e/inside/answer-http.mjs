/**
 * Answers every HTTP request with one text. Prints `started`, and `listening` once it has the port,
 * for which it waits while another process has it. Arguments: address, port, text.
 */
import { createServer } from "node:http";

const retryMs = 5;
const [host, port, text] = process.argv.slice(2);
const server = createServer((_request, response) => response.end(text));
const listen = () => server.listen({ host, port: Number(port) });
server.on("listening", () => process.stdout.write("listening\n"));
server.on("error", (error) => {
  if (error.code !== "EADDRINUSE") throw error;
  setTimeout(listen, retryMs);
});
process.stdout.write("started\n");
listen();
