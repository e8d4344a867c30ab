import type {
  AppliedAdaptation,
  DoctorReport,
  EgressReport,
  Evidence,
  System,
} from "../../index.js";
import { styleOf } from "../style.js";
import { table } from "../table.js";
import { formatBytes } from "../units.js";

/** The doctor's report for people. */
export function formatDoctor(report: DoctorReport): string[] {
  const style = styleOf(process.stdout);
  const { yes, no, timeout, crash, skipped } = report.factCounts;
  const lines = [
    style.bold("Sandbox"),
    ...table([
      ...systemRows(report.sandbox),
      ...unpackedImagesRows(report),
      ...egressRows(report.egress),
    ]),
  ];
  lines.push(
    `  ${yes} facts work, ${no} do not, ${timeout} hung, ${crash} crashed, ${skipped} not tried`,
  );
  lines.push("", style.bold("Modes"));
  for (const { mode, allowed, missing } of report.modes) {
    lines.push(`  ${mode}: ${allowed ? style.green("yes") : style.red("no")}`);
    lines.push(...missing.map(({ need, evidence }) => `    missing: ${need} (${evidence})`));
  }
  lines.push("", style.bold("Plan"));
  if (report.adaptations.length === 0) lines.push("  nothing has to be adapted");
  for (const adaptation of report.adaptations) lines.push(...adaptationLines(adaptation));
  if (report.warnings.length > 0) {
    lines.push("", style.bold("Warnings"));
    lines.push(...report.warnings.map((warning) => style.yellow(`  ${warning}`)));
  }
  return lines;
}

function systemRows(system: System): string[][] {
  const route =
    system.defaultRouteDevice === null
      ? "none"
      : `${system.defaultRouteDevice}, MTU ${system.defaultRouteMtu ?? "unknown"}`;
  return [
    ["  kernel", system.kernelRelease],
    ["  user", `uid ${system.uid}, ${system.capabilities.length} capabilities`],
    ["  processors", String(system.cpuCount)],
    [
      "  memory",
      `${formatBytes(system.memoryAvailableBytes)} available of ${formatBytes(system.memoryTotalBytes)}`,
    ],
    ["  root", system.rootFilesystem],
    ["  data", `${system.dataFilesystem}, ${formatBytes(system.dataFreeBytes)} free`],
    ["  default route", route],
    ["  addresses", system.addresses.join(", ") || "loopback only"],
  ];
}

/** Where unpacked images would lie, and what they take there. */
function unpackedImagesRows({ unpackedImages, sandbox }: DoctorReport): string[][] {
  if (unpackedImages === null) return [];
  const free = sandbox.dataFreeBytes === 0 ? "" : `, ${formatBytes(sandbox.dataFreeBytes)} free`;
  switch (unpackedImages.kind) {
    case "disk":
      return [["  unpacked images", `on the data directory's disk${free}; layers are shared`]];
    case "tmpfs": {
      const size = formatBytes(unpackedImages.sizeBytes);
      return [["  unpacked images", `in memory, up to ${size} of it; layers are shared`]];
    }
    case "copies": {
      const where = `on the data directory's disk${free}`;
      return [["  unpacked images", `${where}; each container is a copy of its whole image`]];
    }
  }
}

function egressRows({ httpProxy, httpsProxy, caSources }: EgressReport): string[][] {
  const proxies = [...new Set([httpsProxy, httpProxy])].filter((proxy) => proxy !== null);
  return [
    ["  proxy", proxies.length === 0 ? "none" : proxies.join(", ")],
    [
      "  CA certificates",
      caSources
        .map(({ from, file, certificates }) => `${certificates} of ${file} (${from})`)
        .join(", ") || "none",
    ],
  ];
}

function adaptationLines({ id, title, evidence, loses }: AppliedAdaptation): string[] {
  return [
    `  ${id}: ${title}`,
    `    because ${evidence.map(formatEvidence).join("; ")}`,
    ...(loses === null ? [] : [`    loses: ${loses}`]),
  ];
}

/** One observation, such as `setns.pid: no (EINVAL)`. */
export function formatEvidence({ fact, state, errno, value }: Evidence): string {
  const extras = [errno, value].filter((extra) => extra !== undefined && extra !== "");
  return `${fact}: ${state}${extras.length === 0 ? "" : ` (${extras.join(", ")})`}`;
}
