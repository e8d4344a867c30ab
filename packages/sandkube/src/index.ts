/**
 * Kubernetes, pods included, inside the sandbox you already have.
 *
 * The public interface: everything else in this package may change at any time.
 */
export * from "./quick.js";

export {
  createCluster,
  type CreateClusterOptions,
  type CreatedCluster,
} from "./cluster/create-cluster.js";
export { connectCluster } from "./cluster/connect-cluster.js";
export type { BootReport, Cluster } from "./cluster/cluster.js";
export type {
  ClusterImages,
  ImageLoadOptions,
  ImageProgressOptions,
} from "./cluster/cluster-images.js";
export type { ClusterPorts } from "./cluster/cluster-ports.js";
export { clusterLogs, type ClusterLogsOptions } from "./cluster/cluster-logs.js";
export {
  mergeKubeconfig,
  unmergeKubeconfig,
  type MergedKubeconfig,
  type MergeKubeconfigOptions,
} from "./cluster/merge-kubeconfig.js";
export { deleteCluster, stopCluster, type StopOptions } from "./cluster/stop-cluster.js";
export {
  doctor,
  probeSandbox,
  type ExamineOptions,
  type SandboxExamination,
} from "./cluster/examine-sandbox.js";
export {
  checkClusterConfig,
  clusterConfigSchema,
  readClusterConfig,
} from "./cluster/cluster-config.js";
export type { ConfigFile } from "./config/config-file.js";
export { exportLogs, type ExportedLogs } from "./cluster/export-logs.js";
export { watchClusterStatus } from "./cluster/watch-status.js";
export {
  installPrograms,
  verifyPrograms,
  type InstalledPrograms,
  type ProgramsOptions,
} from "./cluster/programs.js";
export type { ClusterReference, SurroundingsOptions } from "./cluster/surroundings.js";
export { versions, type Versions } from "./cluster/versions.js";

export {
  clusterModes,
  progressEventSchemas,
  roleKinds,
  type ClusterMode,
  type ProgressEvent,
  type ProgressListener,
  type RoleKind,
  type RoleName,
  type SupervisorEvent,
} from "./events.js";
export { environmentVariables } from "./config/environment.js";
export type { ClusterOptionsInput } from "./config/cluster-options.js";
export type { BootTimings } from "./boot/wait-until-usable.js";
export type { Adaptation, AdaptationId } from "./plan/adaptation.js";
export { adaptationById, adaptations } from "./plan/adaptations/index.js";
export type { Evidence } from "./plan/evidence.js";
export type { AppliedAdaptation } from "./plan/plan.js";
export type { CaSource } from "./egress/ca-bundle.js";
export type { EgressReport } from "./egress/egress-report.js";
export type { DoctorReport } from "./sandbox/doctor.js";
export type { SnapshotStorage } from "./plan/snapshot-storage.js";
export type { Fact, FactId, Facts, FactState, System } from "./sandbox/facts.js";
export type { MissingNeed, ModeReport } from "./sandbox/modes.js";
export type { Publication } from "./kube/publications.js";
export type { ServicePort } from "./kube/service-ports.js";
export { buildImageArchive } from "./cluster/build-image-archive.js";
export {
  needsNoCluster,
  type ArchiveRecipe,
  type BuiltImage,
  type ImageRecipe,
} from "./images/build-image.js";
export type { RemovedImages } from "./images/remove-images.js";
export type { ArchiveDestination, SavedImages } from "./images/save-images.js";
export { examineRegistry, type ExamineRegistryOptions } from "./cluster/examine-registry.js";
export type { RegistryStep } from "./images/check-registry.js";
export type { PulledImage, PullImageOptions } from "./images/pull-image.js";
export type { RegistryAccount } from "./images/registry-tool.js";
export type { RegistryFault } from "./images/registry-fault.js";
export type { ImageInfo } from "./images/list-images.js";
export type { ClusterImageInfo } from "./images/several-stores.js";
export type { ImageSource, LoadedImage } from "./images/load-image.js";
export type { AttachedProcess, ExitStatus } from "./platform/processes.js";
export type { LogLine } from "./runtime/role-logs.js";
export type { RoleStatus, SupervisorStatus } from "./runtime/supervisor-status.js";
export type { ClusterSettings } from "./state/cluster-record.js";
