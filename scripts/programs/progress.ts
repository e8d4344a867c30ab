import type { Program } from "./program.js";

const heartbeatMs = 20_000;

/** Says in plain lines what is being built, how long it has taken and about how long it may take. */
export class Progress {
  private index = 0;
  private count = 0;

  constructor(private readonly write: (line: string) => void) {}

  begin(programs: readonly Program[]): void {
    this.count = programs.length;
    const sum = (seconds: (program: Program) => number) =>
      programs.reduce((total, program) => total + seconds(program), 0);
    this.note(
      `building ${programs.length} parts: about ${duration(sum((p) => p.coldSeconds))} the first time on 2 cores, ` +
        `about ${duration(sum((p) => p.warmSeconds))} with a warm Go build cache`,
    );
  }

  note(message: string): void {
    this.write(`programs: ${message}`);
  }

  /** Reports the start, a line every 20 s, and the end of one build. */
  async during(program: Program, action: () => Promise<void>): Promise<void> {
    this.index += 1;
    const label = `[${this.index}/${this.count}] ${program.name}`;
    const startedAt = Date.now();
    const elapsed = () => duration((Date.now() - startedAt) / 1000);
    this.note(
      `${label}: building (${duration(program.warmSeconds)} to ${duration(program.coldSeconds)})`,
    );
    const heartbeat = setInterval(() => {
      this.note(`${label}: ${elapsed()} so far, at most about ${duration(program.coldSeconds)}`);
    }, heartbeatMs);
    try {
      await action();
    } finally {
      clearInterval(heartbeat);
    }
    this.note(`${label}: done in ${elapsed()}`);
  }
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const rest = whole % 60;
  return `${Math.floor(whole / 60)} min${rest === 0 ? "" : ` ${rest} s`}`;
}
