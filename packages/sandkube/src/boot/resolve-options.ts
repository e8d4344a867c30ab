import {
  parseClusterOptions,
  type ClusterOptions,
  type ClusterOptionsInput,
} from "../config/cluster-options.js";
import { SandkubeError } from "../errors.js";
import type { ClusterRecord, ClusterSettings } from "../state/cluster-record.js";

/**
 * The options of an `up`: what the caller says, and for what is left open the existing
 * cluster's settings, else the defaults. Throws E_CLUSTER_MISMATCH, naming each
 * difference, when the caller says something that the existing cluster is not.
 */
export function resolveOptions(
  input: ClusterOptionsInput,
  record: ClusterRecord | null,
): ClusterOptions {
  if (record === null) return parseClusterOptions(input);
  const differences = differencesOf(input, record.settings);
  if (differences.length > 0) {
    throw new SandkubeError(
      "E_CLUSTER_MISMATCH",
      `the cluster ${record.name} exists with ${differences
        .map(({ setting, has, asked }) => `${setting} ${has}, not ${asked}`)
        .join("; ")}`,
      {
        hint: "Leave these options out, choose another --name, or remove the cluster with `sandkube delete`.",
        details: { differences },
      },
    );
  }
  return parseClusterOptions({ ...input, ...record.settings });
}

/** Whether the caller says nothing that an existing cluster is not. */
export function agrees(input: ClusterOptionsInput, settings: ClusterSettings): boolean {
  return differencesOf(input, settings).length === 0;
}

interface Difference {
  setting: keyof ClusterSettings;
  has: string | number;
  asked: string | number;
}

function differencesOf(input: ClusterOptionsInput, settings: ClusterSettings): Difference[] {
  const names = Object.keys(settings) as (keyof ClusterSettings)[];
  return names.flatMap((setting) => {
    const asked = input[setting];
    const has = settings[setting];
    const isOpen = asked === undefined || (setting === "mode" && leavesOpen(asked, has));
    return isOpen || asked === has ? [] : [{ setting, has, asked }];
  });
}

/** Whether a mode that is asked for stands for several, of which an existing cluster has one. */
function leavesOpen(asked: string | number, has: string | number): boolean {
  return asked === "auto" || (asked === "node" && has !== "control-plane");
}
