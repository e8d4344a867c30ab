import type { ClusterOptions } from "../config/cluster-options.js";
import { SandkubeError } from "../errors.js";
import type { ClusterMode } from "../events.js";
import { findPortOwner, isPortFree } from "../platform/tcp-ports.js";

interface NeededPort {
  purpose: string;
  flag: string;
  host: string;
  port: number;
}

/**
 * Checks that every port which the cluster will listen on is free. Throws E_PORT_TAKEN,
 * with the owner when /proc tells, or E_CONFIG for a port that can not be listened on.
 */
export async function checkPorts(options: ClusterOptions, mode: ClusterMode): Promise<void> {
  const api: NeededPort = {
    purpose: "the API server",
    flag: "--api-port",
    host: options.bindAddress,
    port: options.apiPort,
  };
  const kubelet: NeededPort = {
    purpose: "the kubelet",
    flag: "--kubelet-port",
    host: "0.0.0.0",
    port: options.kubeletPort,
  };
  for (const needed of mode === "control-plane" ? [api] : [api, kubelet]) await checkPort(needed);
}

async function checkPort({ purpose, flag, host, port }: NeededPort): Promise<void> {
  let free;
  try {
    free = await isPortFree(host, port);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SandkubeError(
      "E_CONFIG",
      `${host}:${port}, meant for ${purpose}, can not be listened on: ${reason}`,
      { hint: `Choose another port with ${flag}.`, details: { host, port }, cause },
    );
  }
  if (free) return;
  const owner = await findPortOwner(port);
  const by = owner === null ? "" : ` by process ${owner.pid} (${owner.command})`;
  throw new SandkubeError("E_PORT_TAKEN", `port ${port}, meant for ${purpose}, is taken${by}`, {
    hint: `Choose another port with ${flag}, or end the process.`,
    details: { host, port, ...(owner === null ? {} : { owner }) },
  });
}
