import { nodeName, nodeNumbers } from "../node-names.js";
import { SandkubeError } from "../errors.js";
import {
  nodeRoleKinds,
  nodeRoleName,
  roleKinds,
  roleNamesOf,
  type NodeRoleKind,
  type RoleName,
} from "../events.js";
import { clusterPaths } from "../state/cluster-paths.js";
import { numberOfNodes } from "../state/cluster-record.js";
import { surroundingsOf, type ClusterReference } from "./surroundings.js";

export interface ClusterRolesOptions extends ClusterReference {
  /** A kind such as `containerd`, which stands for that role of every node, or a role's name. */
  part?: string | undefined;
  /** Only the roles of the node of this name. */
  node?: string | undefined;
}

/**
 * The names of a cluster's roles: all of them, or those that a part and a node stand for. Throws
 * E_USAGE for a part or a node that there is not.
 */
export async function clusterRoles(options: ClusterRolesOptions = {}): Promise<RoleName[]> {
  const { part, node } = options;
  const { dataDirectory, clusterName } = surroundingsOf(options);
  const count = await numberOfNodes(clusterPaths(dataDirectory, clusterName));
  const all = roleNamesOf(count);
  const ofNode = node === undefined ? all : rolesOfNode(node, count);
  if (part === undefined) return ofNode;
  const isNodeRole = (kind: string): kind is NodeRoleKind =>
    nodeRoleKinds.some((known) => known === kind);
  const meant = isNodeRole(part)
    ? nodeNumbers(count).map((number) => nodeRoleName(part, number))
    : all.filter((role) => role === part);
  const roles = meant.filter((role) => ofNode.includes(role));
  if (roles.length > 0) return roles;
  const where = node === undefined ? "" : ` of ${node}`;
  throw new SandkubeError("E_USAGE", `there is no part "${part}"${where}`, {
    hint: `The parts are ${(node === undefined ? roleKinds : nodeRoleKinds).join(", ")}.`,
  });
}

function rolesOfNode(name: string, count: number): RoleName[] {
  const number = nodeNumbers(count).find((candidate) => nodeName(candidate) === name);
  if (number !== undefined) return nodeRoleKinds.map((kind) => nodeRoleName(kind, number));
  throw new SandkubeError("E_USAGE", `there is no node "${name}"`, {
    hint: `The nodes are ${nodeNumbers(count).map(nodeName).join(", ")}.`,
  });
}
