import { createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A server that speaks the supervisor's side of the control protocol, from a script. */
export interface SupervisorServer {
  /** The requests so far. */
  requests: unknown[];
  /** Sends an event to whoever listens, and to whoever asks later. */
  emit(event: Record<string, unknown>): void;
  /** Ends as the supervisor does when it dies: every connection closes, nobody listens. */
  end(): Promise<void>;
}

/** Serves the control protocol at a path until the running test ends. */
export async function startSupervisorServer(
  socketPath: string,
  status: Record<string, unknown>,
): Promise<SupervisorServer> {
  const requests: unknown[] = [];
  const events: string[] = [];
  const sockets = new Set<Socket>();
  const listeners = new Set<Socket>();
  const end = async () => {
    for (const socket of sockets) socket.end();
    await new Promise((resolve) => server.close(resolve));
  };
  const emit = (event: Record<string, unknown>) => {
    const line = `${JSON.stringify(event)}\n`;
    events.push(line);
    for (const listener of listeners) listener.write(line);
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => {
      sockets.delete(socket);
      listeners.delete(socket);
    });
    socket.once("data", (data) => {
      const request = JSON.parse(data.toString("utf8")) as { command: string };
      requests.push(request);
      if (request.command === "status") {
        socket.end(`${JSON.stringify(status)}\n`);
        return;
      }
      socket.write(events.join(""));
      listeners.add(socket);
      if (request.command === "stop") {
        emit({ type: "stopping", time: new Date().toISOString() });
        emit({ type: "stopped", time: new Date().toISOString() });
        void end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { requests, emit, end };
}
