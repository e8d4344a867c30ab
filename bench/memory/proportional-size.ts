/** A mapping of a process, from /proc/PID/smaps; sizes in bytes. */
interface Mapping {
  /** File and offset, the same in every process that maps that stretch; null for anonymous memory. */
  readonly file: string | null;
  readonly residentBytes: number;
  readonly anonymousBytes: number;
  readonly proportionalBytes: number;
}

/** What /proc says of a process. */
export interface ProcessMemory {
  readonly pid: number;
  readonly argv: readonly string[];
  /** Content of smaps_rollup, or of smaps where there is no rollup. */
  readonly smaps: string;
  /** Whether `smaps` is a rollup, whose Pss the kernel has counted. */
  readonly isRollup: boolean;
}

const header = /^[0-9a-f]+-[0-9a-f]+ \S{4} ([0-9a-f]+) \S+ \d+\s*(.*)$/;
const field = /^(Rss|Pss|Anonymous):\s+(\d+) kB$/;

/**
 * Proportional set size of each process, in bytes. gVisor has no smaps_rollup, and its smaps reports
 * the whole resident size as proportional (pkg/sentry/mm/procfs.go: "we pretend that each page is
 * only mapped by that pma"), which counts a program that two processes run twice. So where there is
 * no rollup, the file-backed pages of a stretch of a file are counted once, at their largest, and
 * shared out among the processes that map it.
 */
export function proportionalSizes(processes: readonly ProcessMemory[]): Map<number, number> {
  const mapped = processes.map((process) => ({ process, mappings: parseMappings(process.smaps) }));
  const files = new Map<string, { sum: number; largest: number }>();
  for (const { process, mappings } of mapped) {
    if (process.isRollup) continue;
    for (const mapping of mappings.filter(({ file }) => file !== null)) {
      const bytes = mapping.residentBytes - mapping.anonymousBytes;
      const seen = files.get(mapping.file ?? "") ?? { sum: 0, largest: 0 };
      files.set(mapping.file ?? "", {
        sum: seen.sum + bytes,
        largest: Math.max(seen.largest, bytes),
      });
    }
  }
  const sizeOf = ({ file, residentBytes, anonymousBytes }: Mapping): number => {
    const shared = file === null ? undefined : files.get(file);
    if (shared === undefined || shared.sum === 0) return residentBytes;
    return anonymousBytes + ((residentBytes - anonymousBytes) * shared.largest) / shared.sum;
  };
  return new Map(
    mapped.map(({ process, mappings }) => {
      const sizes = mappings.map((mapping) =>
        process.isRollup ? mapping.proportionalBytes : sizeOf(mapping),
      );
      return [process.pid, Math.round(sizes.reduce((sum, size) => sum + size, 0))];
    }),
  );
}

function parseMappings(smaps: string): Mapping[] {
  const mappings: { file: string | null; Rss: number; Pss: number; Anonymous: number }[] = [];
  for (const line of smaps.split("\n")) {
    const [, offset, path] = header.exec(line) ?? [];
    if (offset !== undefined) {
      const file = path?.startsWith("/") ? `${path} ${offset}` : null;
      mappings.push({ file, Rss: 0, Pss: 0, Anonymous: 0 });
      continue;
    }
    const [, name, kibibytes] = field.exec(line) ?? [];
    const mapping = mappings.at(-1);
    if (mapping === undefined || name === undefined) continue;
    mapping[name as "Rss" | "Pss" | "Anonymous"] = Number(kibibytes) * 1024;
  }
  return mappings.map(({ file, Rss, Pss, Anonymous }) => ({
    file,
    residentBytes: Rss,
    anonymousBytes: Anonymous,
    proportionalBytes: Pss,
  }));
}
