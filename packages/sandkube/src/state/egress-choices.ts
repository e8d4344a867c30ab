import { z } from "zod";
import { SandkubeError } from "../errors.js";
import { readFileIfExists, writeJsonAtomically } from "../platform/files.js";
import type { ClusterPaths } from "./cluster-paths.js";

const egressChoicesSchema = z.strictObject({
  schema: z.literal(1),
  /** Pods are told of the sandbox's proxies and CA certificates. */
  proxyPods: z.boolean(),
  /** Absolute path of the registries.yaml that the user named; null: the usual places are looked at. */
  registriesConfig: z.string().nullable(),
});

/** What was last said about a cluster's way out; each `up` may change it. */
export type EgressChoices = Omit<z.infer<typeof egressChoicesSchema>, "schema">;

/** Reads what was last said; the defaults when nothing was. Throws E_STATE for an unreadable file. */
export async function readEgressChoices(paths: ClusterPaths): Promise<EgressChoices> {
  const text = await readFileIfExists(paths.egressChoices);
  if (text === null) return { proxyPods: false, registriesConfig: null };
  try {
    const { proxyPods, registriesConfig } = egressChoicesSchema.parse(JSON.parse(text));
    return { proxyPods, registriesConfig };
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw new SandkubeError("E_STATE", `${paths.egressChoices} is unreadable: ${reason}`, {
      hint: "Remove the file: the next `sandkube up` then starts from the defaults.",
      details: { file: paths.egressChoices },
      cause,
    });
  }
}

/** Remembers what was said. */
export async function writeEgressChoices(
  paths: ClusterPaths,
  choices: EgressChoices,
): Promise<void> {
  await writeJsonAtomically(paths.egressChoices, { schema: 1, ...choices });
}
