import { z } from "zod";
import type { KubeClient } from "./kube-client.js";

const servicesSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ namespace: z.string(), name: z.string() }),
      spec: z.object({
        type: z.string().default("ClusterIP"),
        clusterIP: z.string().default(""),
        externalIPs: z.array(z.string()).default([]),
        ports: z
          .array(
            z.object({
              name: z.string().default(""),
              port: z.number(),
              protocol: z.string().default("TCP"),
              nodePort: z.number().optional(),
            }),
          )
          .default([]),
      }),
    }),
  ),
});

/** A port of a Service, with every address at which the sandbox's programs reach it. */
export interface ServicePort {
  namespace: string;
  service: string;
  type: string;
  /** Empty for a port without a name. */
  name: string;
  port: number;
  protocol: string;
  /** As `host:port`; empty for a headless Service. */
  addresses: string[];
}

/** The ports of all Services that have any, by namespace and name. */
export async function listServicePorts(
  client: KubeClient,
  signal?: AbortSignal,
): Promise<ServicePort[]> {
  const { items } = servicesSchema.parse(await client.getObject("/api/v1/services", signal));
  return items.flatMap(({ metadata, spec }) =>
    spec.ports.map(({ name, port, protocol, nodePort }) => {
      const addresses: string[] = [];
      if (spec.clusterIP !== "" && spec.clusterIP !== "None") {
        addresses.push(`${spec.clusterIP}:${port}`);
      }
      if (nodePort !== undefined) addresses.push(`127.0.0.1:${nodePort}`);
      if (spec.type === "LoadBalancer") addresses.push(`127.0.0.1:${port}`);
      const { namespace, name: service } = metadata;
      return { namespace, service, type: spec.type, name, port, protocol, addresses };
    }),
  );
}
