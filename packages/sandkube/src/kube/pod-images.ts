import { z } from "zod";
import type { KubeClient } from "./kube-client.js";

const container = z.object({ image: z.string().optional() });

const podListSchema = z.object({
  items: z.array(
    z.object({
      spec: z.object({
        containers: z.array(container),
        initContainers: z.array(container).default([]),
        ephemeralContainers: z.array(container).default([]),
      }),
    }),
  ),
});

/** The images that the pods of all namespaces name, whether their containers run or not. */
export async function listPodImages(client: KubeClient, signal?: AbortSignal): Promise<string[]> {
  const { items } = podListSchema.parse(await client.getObject("/api/v1/pods", signal));
  const names = items.flatMap(({ spec }) =>
    [...spec.containers, ...spec.initContainers, ...spec.ephemeralContainers].flatMap(
      ({ image }) => image ?? [],
    ),
  );
  return [...new Set(names)].toSorted();
}
