import type { ProgressEvent } from "sandkube";
import type { TimedLine } from "../timed-command.js";

/** When `sandkube up` reached what, in milliseconds since its command was started. */
export interface BootEvents {
  /** Ends of its steps, such as `probe` and `api-ready`, by name. */
  readonly steps: Readonly<Record<string, number>>;
  /** Services becoming ready, as `role/service`. */
  readonly services: Readonly<Record<string, ServiceStart>>;
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfigPath: string;
}

export interface ServiceStart {
  readonly readyAtMs: number;
  /** From its own start, as the role measured it. */
  readonly elapsedMs: number;
}

interface UpResult {
  readonly type: "result";
  readonly kubeconfigPath: string;
}

/** Reads the lines that `sandkube up --json` printed. */
export function bootEvents(lines: readonly TimedLine[]): BootEvents {
  const steps: Record<string, number> = {};
  const services: Record<string, ServiceStart> = {};
  let kubeconfigPath: string | null = null;
  for (const { atMs, text } of lines.filter(({ text }) => text.startsWith("{"))) {
    const event = JSON.parse(text) as ProgressEvent | UpResult;
    if (event.type === "step-finished") steps[event.step] = atMs;
    if (event.type === "service-ready") {
      const { role, service, elapsedMs } = event;
      services[`${role}/${service}`] = { readyAtMs: atMs, elapsedMs };
    }
    if (event.type === "result") kubeconfigPath = event.kubeconfigPath;
  }
  if (kubeconfigPath === null) throw new Error("sandkube up --json printed no result");
  return { steps, services, kubeconfigPath };
}

/** When a step ended. Throws when it did not occur, rather than to make up a figure. */
export function stepEnd({ steps }: BootEvents, step: string): number {
  const atMs = steps[step];
  if (atMs === undefined) throw new Error(`sandkube up has no step ${step}`);
  return atMs;
}
