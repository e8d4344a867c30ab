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

/** What a node needs whatever network its pods have. */
const nodeFacts: ReadonlyMap<FactId, string> = new Map([
  ["namespace.mount", "a mount namespace of the node's own"],
  ["namespace.pid", "a pid namespace of the node's own"],
  ["mount.tmpfs", "mounting tmpfs"],
  ["mount.bind", "bind mounts"],
  ["mount.proc", "mounting procfs"],
  ["mount.bind-over-proc-sys", "bind mounts over /proc/sys"],
]);

/** What pods with networks of their own need. */
const podNetworkFacts: ReadonlyMap<FactId, string> = new Map([
  ["namespace.network", "network namespaces for pods"],
  ["network.bridge", "a network bridge"],
  ["network.veth", "veth pairs"],
  ["network.bridge-port", "a veth as a port of a bridge"],
  ["network.veth-into-namespace", "moving a veth into a network namespace"],
]);

/** What pods that share the node's network need. */
const hostNetworkFacts: ReadonlyMap<FactId, string> = new Map([
  ["network.loopback-range", "sockets at any address of 127.0.0.0/8"],
]);

/** The facts that decide whether pods have networks of their own. */
export const podNetworkFactIds: readonly FactId[] = [...podNetworkFacts.keys()];

/**
 * Says for each mode, richest first, whether the sandbox allows it and what is missing.
 * Where privileges are missing only these are listed: what the sandbox refuses to a user
 * without them says nothing about the sandbox.
 */
export function modesOf(facts: Facts): ModeReport[] {
  return [
    reportOf("full", [
      missingPrivileges(facts, ["CAP_SYS_ADMIN", "CAP_NET_ADMIN"]),
      [...missingFacts(facts, nodeFacts), ...missingCgroups(facts)],
      missingFacts(facts, podNetworkFacts),
    ]),
    reportOf("host-network", [
      missingPrivileges(facts, ["CAP_SYS_ADMIN"]),
      [...missingFacts(facts, nodeFacts), ...missingCgroups(facts)],
      [...missingFacts(facts, hostNetworkFacts), ...missingAddress(facts)],
    ]),
    reportOf("control-plane", [[]]),
  ];
}

/** `needs` has the missing privileges first: the rest counts only where there are none. */
function reportOf(
  mode: ClusterMode,
  [privileges = [], ...needs]: readonly (readonly MissingNeed[])[],
): ModeReport {
  const missing = privileges.length > 0 ? [...privileges] : needs.flat();
  return { mode, allowed: missing.length === 0, missing };
}

/**
 * The mode for a cluster: the asked one, for `node` the richest with a node that the sandbox allows,
 * for `auto` the richest of all. Throws E_PRIVILEGE or E_SANDBOX, naming all that is missing, when
 * the sandbox does not allow what is asked for.
 */
export function chooseMode(asked: "auto" | "node" | ClusterMode, facts: Facts): ClusterMode {
  const candidates = modesOf(facts).filter(({ mode }) => {
    if (asked === "auto") return true;
    return asked === "node" ? mode !== "control-plane" : mode === asked;
  });
  const chosen = candidates.find(({ allowed }) => allowed);
  if (chosen !== undefined) return chosen.mode;
  throw notAllowed(asked, candidates);
}

function notAllowed(asked: string, candidates: readonly ModeReport[]): SandkubeError {
  const [richest, poorest] = [candidates.at(0), candidates.at(-1)];
  // Who lacks privileges should hear of all that a node can use, others of what it can not do without.
  const lacksPrivilege = poorest?.missing.some((need) => need.kind === "privilege") ?? false;
  const missing = (lacksPrivilege ? richest : poorest)?.missing ?? [];
  const byPrivilege = missing.some((need) => need.kind === "privilege");
  const what = asked === "full" ? "a node whose pods have networks of their own" : "a node";
  const otherwise =
    asked === "full"
      ? "`sandkube doctor` says which modes there are here; a cluster keeps its mode for life."
      : "Use --control-plane for a cluster without a node.";
  return new SandkubeError(
    byPrivilege ? "E_PRIVILEGE" : "E_SANDBOX",
    `${what} can not run here, it needs ${missing.map(({ need, evidence }) => `${need} (${evidence})`).join("; ")}`,
    {
      hint: byPrivilege
        ? "Run as root with CAP_SYS_ADMIN and CAP_NET_ADMIN, or use --control-plane for a cluster without a node."
        : otherwise,
      details: { missing },
    },
  );
}

function missingPrivileges(facts: Facts, needed: readonly string[]): MissingNeed[] {
  const { uid, capabilities } = facts.system;
  const missing: MissingNeed[] = [];
  if (uid !== 0) missing.push({ kind: "privilege", need: "root", evidence: `uid ${uid}` });
  for (const capability of needed) {
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

function missingFacts(facts: Facts, needed: ReadonlyMap<FactId, string>): MissingNeed[] {
  return [...needed].flatMap(([id, need]): MissingNeed[] =>
    works(facts, id) ? [] : [{ kind: "sandbox", need, evidence: describe(facts, id) }],
  );
}

function missingCgroups(facts: Facts): MissingNeed[] {
  if (cgroupSource(facts) !== "none") return [];
  const evidence = (["cgroup.mounted", "cgroup.v1-mountable"] as const).map((id) =>
    describe(facts, id),
  );
  return [
    {
      kind: "sandbox",
      need: `cgroup controllers ${nodeControllers.join(", ")}`,
      evidence: evidence.join(", "),
    },
  ];
}

/** The API takes no loopback address as that of a node or a pod. */
function missingAddress(facts: Facts): MissingNeed[] {
  if (facts.system.addresses.length > 0) return [];
  return [
    {
      kind: "sandbox",
      need: "an IPv4 address beside the loopback one",
      evidence: "no link has any",
    },
  ];
}

/** One fact in a few words, such as "network.veth: no, EPERM". */
function describe(facts: Facts, id: FactId): string {
  const { state, errno, value } = factOf(facts, id);
  const extras = [errno, value].filter((extra) => extra !== undefined && extra !== "");
  return `${id}: ${[state, ...extras].join(", ")}`;
}
