import type { Sighting } from "./figures.js";
import type { Scene } from "./scene.js";

const changes = 10;
const effectLimitMs = 60_000;
const servers = ["server-1", "server-2"] as const;

/**
 * How long, in milliseconds, changes of a Service's endpoint take to have effect at its ClusterIP:
 * from the request to the API until a pod, which asks again and again, has an answer of the new
 * endpoint.
 */
export async function measureChanges(scene: Scene): Promise<number[]> {
  const addresses = [await scene.podAddress(servers[0]), await scene.podAddress(servers[1])];
  const { http } = await scene.serviceTarget("changing");
  await changeTo(scene, addresses[0] ?? "");
  const watcher = scene.startInPod(["watch", "--target", http]);
  const firstAnswer = async (server: string, sinceMs: number): Promise<number> =>
    await watcher.output.until(
      `an answer of ${server}`,
      (line) => sightingOf(line, server, sinceMs),
      effectLimitMs,
    );
  await firstAnswer(servers[0], 0);
  const took: number[] = [];
  for (let change = 1; change <= changes; change += 1) {
    const next = change % servers.length;
    const beganAtMs = await changeTo(scene, addresses[next] ?? "");
    took.push((await firstAnswer(servers[next] ?? "", beganAtMs)) - beganAtMs);
  }
  watcher.process.stdin.end();
  await watcher.process.exited;
  return took;
}

/** Returns when the request began, in milliseconds since 1970 by the sandbox's clock. */
async function changeTo(scene: Scene, address: string): Promise<number> {
  return Number(await scene.runInside("change-endpoint.mjs", [address]));
}

/** When a line of `netload watch` tells of a server's first answer since a moment; null: not. */
export function sightingOf(line: string, server: string, sinceMs: number): number | null {
  const { answer, atUnixMilliseconds } = JSON.parse(line) as Sighting;
  return answer === server && atUnixMilliseconds >= sinceMs ? atUnixMilliseconds : null;
}
