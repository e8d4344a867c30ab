import type { SandboxKind } from "../lab/src/index.js";
import { measureApart } from "./peer/measure-apart.js";
import { measureKwokctl } from "./peer/measure-kwokctl.js";
import type { PeerPrograms } from "./peer/programs.js";
import { untilQuiet } from "./quiet.js";
import { kindResult, type KindResult, type Round } from "./results.js";
import type { SampleImages } from "./sandkube/in-sandbox.js";
import { measureControlPlane, measureNode } from "./sandkube/measure-start.js";
import { measureUse } from "./sandkube/measure-use.js";
import { warmMemory, warmPrograms } from "./warm.js";

export interface RoundsOptions {
  readonly runs: number;
  readonly kinds: readonly SandboxKind[];
  readonly programs: PeerPrograms;
  readonly images: SampleImages;
  readonly signal: AbortSignal;
  readonly report: (line: string) => void;
}

/**
 * Measures everything in turns: in every round each kind of sandbox has each of its measurements
 * once, in a new sandbox, so that what else the machine does disturbs all of them alike.
 */
export async function measureRounds(options: RoundsOptions): Promise<KindResult[]> {
  const rounds = new Map<SandboxKind, Round[]>(options.kinds.map((kind) => [kind, []]));
  for (let run = 1; run <= options.runs; run += 1) {
    for (const [kind, done] of rounds) {
      const place = `round ${run} of ${options.runs}, ${kind}`;
      done.push(await measureRound(kind, place, options));
    }
  }
  return [...rounds].map(([kind, done]) => kindResult(kind, done));
}

async function measureRound(
  kind: SandboxKind,
  place: string,
  { programs, images, signal, report }: RoundsOptions,
): Promise<Round> {
  const tell = (what: string, ms: number): void =>
    report(`${place}: ${what} ${(ms / 1_000).toFixed(2)} s`);
  const ready = async (): Promise<void> => {
    await untilQuiet(signal, report);
    await warmPrograms(Object.values(programs), signal);
    await warmMemory(signal);
  };
  await ready();
  const kwokctl = await measureKwokctl(kind, programs, signal);
  tell("kwokctl ready", kwokctl.readyMs);
  await ready();
  const node = await measureNode(kind, images, signal);
  tell("node Ready", node.nodeReadyMs);
  tell("2 pods Running", node.upMs + node.podsMs);
  await ready();
  const apart = await measureApart(kind, programs, node.nodeSpec, images, signal);
  tell("apart: node Ready", apart.nodeReadyMs);
  tell("apart: 2 pods Running", apart.startMs + apart.podsMs);
  await ready();
  const controlPlane = await measureControlPlane(kind, signal);
  tell("control plane's API ready", controlPlane.apiReadyMs);
  await ready();
  const use = await measureUse(kind, images, signal);
  report(`${place}: idle ${(use.idle.hostShare * 100).toFixed(1)} % of a core`);
  tell("up after down", use.warmUpMs);
  return { kwokctl, node, apart, controlPlane, use };
}
