import type { ProgressEvent, SupervisorEvent } from "../../index.js";
import { formatDuration } from "../units.js";

/** What is worth a line of its own apart from the steps; null for the rest. */
export function describeTrouble(event: ProgressEvent): string | null {
  if (event.type === "warning") {
    return event.hint === undefined ? event.message : `${event.message} ${event.hint}`;
  }
  return event.type === "runtime" ? describeRoleTrouble(event.event) : null;
}

function describeRoleTrouble(event: SupervisorEvent): string | null {
  if (event.type === "fatal") return `${event.service ?? event.role}: ${event.message}`;
  if (event.type !== "role" || event.state !== "backing-off") return null;
  const how = event.signal ?? (event.exitCode === undefined ? "" : `exit code ${event.exitCode}`);
  const why = event.message === undefined ? "" : `: ${event.message}`;
  const next =
    event.delayMs === undefined ? "" : `; starting again in ${formatDuration(event.delayMs)}`;
  return `${event.service ?? event.role} has ended${how === "" ? "" : ` (${how})`}${why}${next}`;
}
