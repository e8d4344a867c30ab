import { SandkubeError } from "../errors.js";
import type { ClusterMode } from "../events.js";
import { cgroupSource, nodeControllers } from "./cgroups.js";
import { factOf, works, type FactId, type Facts } from "./facts.js";

/** Something that a mode needs and the sandbox does not give. */
export interface MissingNeed {
  /** `privilege`: another user could have it; `sandbox`: nobody can in this sandbox. */
  kind: "privilege" | "sandbox";
  /** What is needed, for people. */
  need: string;
  /** What was seen instead, for people. */
  evidence: string;
}

export interface ModeReport {
  mode: ClusterMode;
  allowed: boolean;
  missing: MissingNeed[];
}

const neededCapabilities = ["CAP_SYS_ADMIN", "CAP_NET_ADMIN"] as const;

const neededFacts: ReadonlyMap<FactId, string> = new Map([
  ["namespace.mount", "a mount namespace of the node's own"],
  ["namespace.pid", "a pid namespace of the node's own"],
  ["namespace.network", "network namespaces for pods"],
  ["mount.tmpfs", "mounting tmpfs"],
  ["mount.bind", "bind mounts"],
  ["mount.proc", "mounting procfs"],
  ["mount.bind-over-proc-sys", "bind mounts over /proc/sys"],
  ["network.bridge", "a network bridge"],
  ["network.veth", "veth pairs"],
  ["network.bridge-port", "a veth as a port of a bridge"],
  ["network.veth-into-namespace", "moving a veth into a network namespace"],
]);

/**
 * Says for each mode, richest first, whether the sandbox allows it and what is missing.
 * Where privileges are missing only these are listed: what the sandbox refuses to a user
 * without them says nothing about the sandbox.
 */
export function modesOf(facts: Facts): ModeReport[] {
  const privileges = missingPrivileges(facts);
  const missing = privileges.length > 0 ? privileges : missingFacts(facts);
  return [
    { mode: "full", allowed: missing.length === 0, missing },
    { mode: "control-plane", allowed: true, missing: [] },
  ];
}

/**
 * The mode for a cluster: the asked one, or the richest that the sandbox allows for `auto`.
 * Throws E_PRIVILEGE or E_SANDBOX, naming all that is missing, when a node is asked for and none can run.
 */
export function chooseMode(asked: "auto" | ClusterMode, facts: Facts): ClusterMode {
  if (asked === "control-plane") return asked;
  const full = modesOf(facts).find((report) => report.mode === "full");
  if (full === undefined || full.allowed) return "full";
  if (asked === "auto") return "control-plane";
  const { missing } = full;
  const byPrivilege = missing.some((need) => need.kind === "privilege");
  throw new SandkubeError(
    byPrivilege ? "E_PRIVILEGE" : "E_SANDBOX",
    `a node can not run here, it needs ${missing.map(({ need, evidence }) => `${need} (${evidence})`).join("; ")}`,
    {
      hint: byPrivilege
        ? "Run as root with CAP_SYS_ADMIN and CAP_NET_ADMIN, or use --control-plane for a cluster without a node."
        : "Use --control-plane for a cluster without a node.",
      details: { missing },
    },
  );
}

function missingPrivileges(facts: Facts): MissingNeed[] {
  const { uid, capabilities } = facts.system;
  const missing: MissingNeed[] = [];
  if (uid !== 0) missing.push({ kind: "privilege", need: "root", evidence: `uid ${uid}` });
  for (const capability of neededCapabilities) {
    if (!capabilities.includes(capability)) {
      missing.push({
        kind: "privilege",
        need: capability,
        evidence: "not among the effective capabilities",
      });
    }
  }
  return missing;
}

function missingFacts(facts: Facts): MissingNeed[] {
  const missing = [...neededFacts].flatMap(([id, need]): MissingNeed[] =>
    works(facts, id) ? [] : [{ kind: "sandbox", need, evidence: describe(facts, id) }],
  );
  if (cgroupSource(facts) === "none") {
    missing.push({
      kind: "sandbox",
      need: `cgroup controllers ${nodeControllers.join(", ")}`,
      evidence: (["cgroup.mounted", "cgroup.v1-mountable"] as const)
        .map((id) => describe(facts, id))
        .join(", "),
    });
  }
  return missing;
}

/** One fact in a few words, such as "network.veth: no, EPERM". */
function describe(facts: Facts, id: FactId): string {
  const { state, errno, value } = factOf(facts, id);
  const extras = [errno, value].filter((extra) => extra !== undefined && extra !== "");
  return `${id}: ${[state, ...extras].join(", ")}`;
}
