import type { Cluster, CreatedCluster } from "../../index.js";
import type { ResultLine } from "../json-lines.js";
import { styleOf } from "../style.js";
import { table } from "../table.js";
import { formatDuration } from "../units.js";

/** The last line of `up --json`. */
export function upResult(cluster: CreatedCluster): ResultLine {
  return {
    type: "result",
    command: "up",
    name: cluster.name,
    mode: cluster.settings.mode,
    kubeconfigPath: cluster.kubeconfigPath,
    server: serverOf(cluster),
    ...cluster.boot,
    adaptations: cluster.adaptations.map(({ id, title, loses }) => ({ id, title, loses })),
  };
}

const modeNotes: Record<Cluster["settings"]["mode"], string> = {
  full: "",
  "host-network": ", its pods share the node's network",
  "control-plane": ", without a node",
};

function readyMs({ timings }: CreatedCluster["boot"]): number {
  return timings.dnsReadyMs ?? timings.schedulableMs;
}

/** What `up` ends with: the cluster, what was adapted, and what to do next. */
export function formatUpResult(cluster: CreatedCluster): string {
  const style = styleOf(process.stdout);
  const { adaptations, boot } = cluster;
  const lines = [""];
  const how = boot.wasRunning ? "is running" : `is ready after ${formatDuration(readyMs(boot))}`;
  const what = modeNotes[cluster.settings.mode];
  lines.push(style.bold(`Cluster ${cluster.name} ${how}${what}.`));
  if (adaptations.length > 0) {
    lines.push("", "Adapted to this sandbox (`sandkube explain ID` says more):");
    lines.push(...table(adaptations.map(({ id, title }) => [`  ${id}`, title])));
  }
  const shared = adaptations.find(({ id }) => id === "shared-pod-network");
  if (shared?.loses) lines.push("", `In host-network mode: ${shared.loses}`);
  const name = cluster.name === "default" ? "" : ` --name ${cluster.name}`;
  lines.push("", "Next:");
  lines.push(
    ...table([
      [`  sandkube${name} kubectl get pods -A`, "use the cluster"],
      [`  export KUBECONFIG=${cluster.kubeconfigPath}`, "the same with your own tools"],
      ...(cluster.settings.mode === "control-plane"
        ? []
        : [[`  sandkube${name} image load FILE`, "bring an image without a registry"]]),
      [`  sandkube${name} down`, "stop it; up resumes it"],
      [`  sandkube${name} delete`, "remove it"],
    ]),
  );
  return `${lines.join("\n")}\n`;
}

function serverOf({ settings }: Cluster): string {
  return `https://${settings.bindAddress}:${settings.apiPort}`;
}
