import type { ClusterImages } from "../../../index.js";
import { clusterReference, type ClusterFlags } from "../../options.js";

/** The images of the cluster that the flags name. */
export async function imagesOf(flags: ClusterFlags): Promise<ClusterImages> {
  const { connectCluster } = await import("../../../index.js");
  const { name, ...surroundings } = clusterReference(flags);
  return (await connectCluster(name, surroundings)).images;
}
