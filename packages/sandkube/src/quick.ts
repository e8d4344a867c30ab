/**
 * The part of the public interface that commands use which are to answer at once. To load all of it
 * takes 1.7 times as long: YAML, HTTPS, and the schemas of what `up` reads.
 */
export { clusterRoles, type ClusterRolesOptions } from "./cluster/cluster-roles.js";
export {
  clusterStatus,
  listClusters,
  type ClusterState,
  type ClusterStatus,
  type ListedCluster,
} from "./cluster/cluster-status.js";
export { startTool, toolNames, type ToolName } from "./cluster/tools.js";
export { errorCodes, SandkubeError, type ErrorCode, type ErrorDetails } from "./errors.js";
export { shellExitCode } from "./platform/processes.js";
