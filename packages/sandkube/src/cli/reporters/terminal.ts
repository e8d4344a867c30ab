import type { WriteStream } from "node:tty";
import { styleOf } from "../style.js";
import { formatDuration } from "../units.js";
import { describeTrouble } from "./describe-event.js";
import type { Reporter } from "./reporter.js";

const redrawIntervalMs = 100;
const clearLine = "\r\u001b[K";

interface RunningStep {
  title: string;
  startMs: number;
  /** The latest news, shown behind the title. */
  news: string;
}

/** Keeps one live line for the running step, with its elapsed time; ended steps stay above it. */
export function terminalReporter(stream: WriteStream): Reporter {
  const style = styleOf(stream);
  let running: RunningStep | null = null;

  const draw = () => {
    if (running === null) return;
    const elapsed = formatDuration(performance.now() - running.startMs);
    const text = `  ${running.title} ${elapsed}${running.news === "" ? "" : ` · ${running.news}`}`;
    stream.write(clearLine + style.dim(text.slice(0, Math.max(20, stream.columns - 1))));
  };
  const line = (text: string) => {
    stream.write(`${clearLine}${text}\n`);
    draw();
  };
  const end = (mark: string, durationMs: number, result?: string) => {
    const title = running?.title ?? "";
    running = null;
    const note = result === undefined ? "" : `: ${result}`;
    line(`${mark} ${title}${note} ${style.dim(formatDuration(durationMs))}`);
  };
  const timer = setInterval(draw, redrawIntervalMs);
  timer.unref();

  return {
    report(event) {
      switch (event.type) {
        case "step-started":
          running = { title: event.title, startMs: performance.now(), news: "" };
          draw();
          break;
        case "step-finished":
          end(style.green("✓"), event.durationMs, event.result);
          break;
        case "step-failed":
          end(style.red("✗"), event.durationMs);
          break;
        case "service-ready":
          if (running !== null) running.news = `${event.service} ready`;
          break;
        default: {
          const trouble = describeTrouble(event);
          if (trouble !== null) line(`  ${style.yellow(trouble)}`);
        }
      }
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      if (running !== null) stream.write(clearLine);
    },
  };
}
