import { bootSandbox, type SandboxKind } from "../../lab/src/index.js";
import { untilQuiet } from "../quiet.js";
import type { Series } from "../statistics.js";
import type { NetloadImage } from "./image.js";
import { measureLookups, type LookupRun } from "./measure-lookups.js";
import { measureMany, type ManyRun } from "./measure-many.js";
import { measureGateway, measureService, type PathRun } from "./measure-paths.js";
import { measureSoak, soakMinutes, type SoakRun } from "./measure-soak.js";
import { networkResult, pathResult, type NetworkResult } from "./results.js";
import { Scene } from "./scene.js";

/** What a round measured in one kind of sandbox, all in one cluster. */
export interface NetworkRound {
  readonly service: PathRun;
  readonly gateway: PathRun;
  readonly lookups: LookupRun;
  readonly many: ManyRun;
  /** Null: it was not asked for. */
  readonly soak: SoakRun | null;
}

export interface NetworkRoundsOptions {
  readonly runs: number;
  readonly kinds: readonly SandboxKind[];
  readonly image: NetloadImage;
  readonly soak: boolean;
  readonly signal: AbortSignal;
  readonly report: (line: string) => void;
}

/** Measures the kinds of sandboxes in turns, each round in new sandboxes. */
export async function measureNetworkRounds(
  options: NetworkRoundsOptions,
): Promise<NetworkResult[]> {
  const rounds = new Map<SandboxKind, NetworkRound[]>(options.kinds.map((kind) => [kind, []]));
  for (let run = 1; run <= options.runs; run += 1) {
    for (const [kind, done] of rounds) {
      const place = `round ${run} of ${options.runs}, ${kind}`;
      done.push(await measureRound(kind, place, options));
    }
  }
  return [...rounds].map(([kind, done]) => networkResult(kind, done));
}

async function measureRound(
  kind: SandboxKind,
  place: string,
  { image, soak, signal, report }: NetworkRoundsOptions,
): Promise<NetworkRound> {
  const tell = (what: string): void => report(`${place}: ${what}`);
  await untilQuiet(signal, report);
  await using sandbox = await bootSandbox({ kind, imagesDirectory: image.directory, signal });
  const scene = await Scene.start(sandbox, image, signal);
  const service = await measureService(scene);
  tell(`Service / direct: ${ratiosOf(service)}`);
  const gateway = await measureGateway(scene);
  tell(`gateway / from the node: ${ratiosOf(gateway)}`);
  const lookups = await measureLookups(scene);
  tell(`lookups: p50 ${lookups.oneQuestion[0]?.p50Microseconds.toFixed(0)} µs`);
  const many = await measureMany(scene);
  tell(`many Services: slowest change ${Math.max(...many.changesMs).toFixed(0)} ms`);
  tell(`many connections: ${many.opening.failures + many.using.failures} failures`);
  if (!soak) return { service, gateway, lookups, many, soak: null };
  tell(`${soakMinutes} minutes of a steady load`);
  return { service, gateway, lookups, many, soak: await measureSoak(scene) };
}

/** Medians of a round, for whoever waits for the end. */
function ratiosOf(run: PathRun): string {
  const { oneConnection, sixteenConnections, stream } = pathResult([run]);
  const text = ({ median }: Series): string => `${median.toFixed(2)} x`;
  return [
    `requests with 1 connection ${text(oneConnection.ratio)}`,
    `with 16 ${text(sixteenConnections.ratio)}`,
    `stream ${text(stream.ratio)}`,
  ].join(", ");
}
