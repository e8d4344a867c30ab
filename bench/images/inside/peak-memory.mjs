/**
 * Adds up the resident memory of containerd and of the programs that work on images beside it,
 * until its standard input ends; then prints the first and the highest sum, in bytes.
 */
import { readdirSync, readFileSync } from "node:fs";

const intervalMs = 100;

function residentBytes() {
  let sum = 0;
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const argv = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0");
      if (!argv[0]?.endsWith("sandkube-containerd")) continue;
      const status = readFileSync(`/proc/${entry}/status`, "utf8");
      sum += Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
    } catch {
      // It has ended meanwhile.
    }
  }
  return sum;
}

const idleBytes = residentBytes();
let peakBytes = idleBytes;
const timer = setInterval(() => {
  peakBytes = Math.max(peakBytes, residentBytes());
}, intervalMs);
process.stdout.write("watching\n");
process.stdin.resume().on("end", () => {
  clearInterval(timer);
  process.stdout.write(`${JSON.stringify({ idleBytes, peakBytes })}\n`);
});
