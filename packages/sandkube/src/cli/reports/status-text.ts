import type { ClusterSettings, ClusterStatus, RoleStatus } from "../../index.js";
import { table } from "../table.js";

const modeTexts: Record<ClusterSettings["mode"], string> = {
  full: "full",
  "host-network":
    "host-network (pods share the node's network and address; NetworkPolicies are not enforced)",
  "control-plane": "control-plane",
};

/** A cluster's state, and a line for each role. */
export function formatStatus(status: ClusterStatus): string[] {
  const { settings } = status;
  const facts = [
    ["Cluster:", status.name],
    ["State:", status.state],
    ...(settings === null
      ? []
      : [
          ["Mode:", modeTexts[settings.mode]],
          ...(settings.nodes === 1 ? [] : [["Nodes:", String(settings.nodes)]]),
          ["API server:", `https://${settings.bindAddress}:${settings.apiPort}`],
        ]),
    ["Kubeconfig:", status.kubeconfigPath],
    ["Directory:", status.directory],
  ];
  const lines = table(facts);
  if (status.state === "unfinished")
    lines.push("", "`sandkube up` recovers it, `sandkube delete` removes it.");
  if (status.runtime === null) return lines;
  lines.push(
    "",
    ...table([
      ["ROLE", "STATE", "READY", "PID", "RESTARTS", "SERVICES"],
      ...status.runtime.roles.map(roleRow),
    ]),
  );
  for (const role of status.runtime.roles) lines.push(...lastExitOf(role));
  const problems = status.runtime.roles.flatMap(problemsOf);
  if (problems.length > 0) lines.push("", ...problems);
  return lines;
}

function roleRow(role: RoleStatus): string[] {
  const services = Object.entries(role.services)
    .map(([name, { state, message }]) => {
      if (state === "ready") return name;
      return `${name} (${state}${state === "starting" && message ? `: ${message}` : ""})`;
    })
    .join(", ");
  return [
    role.role,
    role.state,
    role.ready ? "yes" : "no",
    role.pid === undefined ? "-" : String(role.pid),
    String(role.restarts),
    services === "" ? "-" : services,
  ];
}

function problemsOf({ services }: RoleStatus): string[] {
  return Object.entries(services).flatMap(([name, { problems = [] }]) =>
    problems.map((problem) => `Problem of ${name}: ${problem}`),
  );
}

function lastExitOf({ role, restarts, lastExit }: RoleStatus): string[] {
  if (lastExit === null || restarts === 0) return [];
  const how = lastExit.signal
    ? `signal ${lastExit.signal}`
    : `exit code ${lastExit.exitCode ?? "?"}`;
  const part = lastExit.service ? ` in ${lastExit.service}` : "";
  const why = lastExit.message ? `: ${lastExit.message}` : "";
  return ["", `Last end of ${role}: ${how}${part}${why}`];
}
