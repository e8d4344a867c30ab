import type { ProgressEvent, ProgressListener } from "../../index.js";
import type { JsonFlag } from "../options.js";
import { describeTrouble } from "./describe-event.js";
import { formatBytes } from "../units.js";

const clearLine = "\r\u001b[K";

/** Without a terminal, a line comes this often. */
const plainIntervalMs = 5_000;

type ImageProgress = Extract<ProgressEvent, { type: "image-progress" }>;

/**
 * Does work on images and shows how far it is, on standard error: as a live line for a
 * terminal, else as a line every few seconds.
 */
export async function reportingImages<T>(
  { json }: JsonFlag,
  work: (onProgress: ProgressListener) => Promise<T>,
): Promise<T> {
  const { stderr } = process;
  const isLive = stderr.isTTY;
  let phaseStart = { phase: "", ms: 0 };
  let nextLineMs = performance.now() + plainIntervalMs;
  try {
    return await work((event) => {
      if (json) return;
      const trouble = describeTrouble(event);
      if (trouble !== null) stderr.write(`${isLive ? clearLine : ""}${trouble}\n`);
      if (event.type !== "image-progress") return;
      const nowMs = performance.now();
      if (event.phase !== phaseStart.phase) phaseStart = { phase: event.phase, ms: nowMs };
      const text = describe(event, nowMs - phaseStart.ms);
      if (isLive) {
        stderr.write(clearLine + text.slice(0, (stderr.columns || 80) - 1));
      } else if (nowMs >= nextLineMs) {
        nextLineMs = nowMs + plainIntervalMs;
        stderr.write(`${text}\n`);
      }
    });
  } finally {
    if (isLive && phaseStart.phase !== "") stderr.write(clearLine);
  }
}

/** One line, such as `Reading 120.0 MiB of 300.0 MiB, 60.0 MiB/s`. */
export function describe(event: ImageProgress, elapsedMs: number): string {
  const verb = event.phase[0]?.toUpperCase() + event.phase.slice(1);
  const of = event.totalBytes ? ` of ${formatBytes(event.totalBytes)}` : "";
  const rate =
    elapsedMs > 0 && event.bytes > 0
      ? `, ${formatBytes(Math.round((event.bytes / elapsedMs) * 1_000))}/s`
      : "";
  const layer = event.layer === undefined ? "" : `, layer ${event.layer} of ${event.layers}`;
  const name = event.image === undefined ? "" : ` ${event.image}:`;
  return `${verb}${name} ${formatBytes(event.bytes)}${of}${layer}${rate}`;
}
