import { parseClusterOptions, type ClusterOptionsInput } from "../config/cluster-options.js";
import type { Environment } from "../config/environment.js";
import { SandkubeError } from "../errors.js";
import type { ProgressListener } from "../events.js";
import type { AppliedAdaptation } from "../plan/plan.js";
import { deadlineIn, monotonicMs } from "../platform/clock.js";
import { locatePrograms, type Programs } from "../runtime/locate-programs.js";
import { packageVersion } from "../runtime/package-version.js";
import { startSupervisor } from "../runtime/start-supervisor.js";
import { stopRuntime } from "../runtime/stop-runtime.js";
import { SupervisorClient } from "../runtime/supervisor-client.js";
import { removeClusterContents, removeDoomedDirectories } from "../state/cluster-directories.js";
import { lockNewCluster } from "../state/cluster-lock.js";
import { clusterPaths, type ClusterPaths } from "../state/cluster-paths.js";
import { settingsOf, writeClusterRecord, type ClusterRecord } from "../state/cluster-record.js";
import {
  describeExistingCluster,
  examineExistingCluster,
  type ExistingCluster,
} from "./existing-cluster.js";
import { tellEgressUnchanged } from "./egress.js";
import { tellImagesDirectoryUnchanged } from "./images-directory.js";
import { prepare } from "./prepare.js";
import { agrees, resolveOptions } from "./resolve-options.js";
import { rollBack, type MadeByUp, type RollbackRequest } from "./rollback.js";
import { stepRunner, type StepRunner } from "./step.js";
import { readAdaptations, readNodeSpec } from "./stored-plan.js";
import { waitUntilUsable, type BootTimings } from "./wait-until-usable.js";

export interface UpRequest {
  /** What the caller says; what is left open is kept from an existing cluster. */
  input: ClusterOptionsInput;
  /** The directory that SANDKUBE_PROGRAMS names. */
  programsOverride: string | undefined;
  /** The environment of the user: it says where proxies and CA certificates are. */
  environment: Environment;
  signal: AbortSignal;
  emit: ProgressListener;
}

/** A usable cluster, and what this `up` did for it. */
export interface UpResult {
  record: ClusterRecord;
  paths: ClusterPaths;
  adaptations: AppliedAdaptation[];
  /** There was no finished cluster of the name before. */
  created: boolean;
  /** The cluster was running before. */
  wasRunning: boolean;
  timings: BootTimings;
}

/** One run of `up`, from its lock to its end. */
interface Run extends UpRequest {
  dataDirectory: string;
  name: string;
  paths: ClusterPaths;
  programs: Programs;
  step: StepRunner;
  startMs: number;
  startedAt: number;
  timeoutMs: number;
  made: MadeByUp;
}

/**
 * Brings a cluster to where a pod can be scheduled: creates it, resumes it, or finds it
 * running. When that fails, or is aborted, what this call has made is taken back, unless
 * the options say to retain it. Throws a SandkubeError.
 */
export async function up(request: UpRequest): Promise<UpResult> {
  const startMs = monotonicMs();
  const startedAt = Date.now();
  const { signal, emit } = request;
  const { dataDirectory, name, timeoutMs, retain } = parseClusterOptions(request.input);
  const step = stepRunner(emit, signal);
  const paths = clusterPaths(dataDirectory, name);
  const programs = await step({
    name: "programs",
    title: "Finding sandkube's programs",
    run: async () =>
      await locatePrograms({
        override: request.programsOverride,
        dataDirectory,
        version: await packageVersion(),
      }),
    result: ({ directory }) => directory,
  });
  await using _lock = await step({
    name: "lock",
    title: "Locking the cluster",
    run: () => lockCluster(paths, timeoutMs, request),
  });
  const made: MadeByUp = { directory: false, runtime: false };
  try {
    return await bringUp({
      ...request,
      dataDirectory,
      name,
      paths,
      programs,
      step,
      startMs,
      startedAt,
      timeoutMs,
      made,
    });
  } catch (thrown) {
    const error = SandkubeError.from(thrown);
    if (retain) throw retained(error, paths);
    if (!made.directory && !made.runtime) throw error;
    throw await undo(error, { dataDirectory, name, paths, programs, made }, emit);
  }
}

/** Rolls back, also after an abort, and gives the error to report: the one that `up` failed with. */
async function undo(
  error: SandkubeError,
  request: RollbackRequest,
  emit: ProgressListener,
): Promise<SandkubeError> {
  try {
    return await stepRunner(emit)({
      name: "rollback",
      title: "Rolling back",
      run: () => rollBack(error, request),
    });
  } catch (failure) {
    emit({
      type: "warning",
      message: `Not all could be taken back: ${SandkubeError.from(failure).message}.`,
      hint: "`sandkube delete` removes what is left.",
    });
    return error;
  }
}

async function lockCluster(
  paths: ClusterPaths,
  timeoutMs: number,
  { signal, emit }: UpRequest,
): ReturnType<typeof lockNewCluster> {
  const start = monotonicMs();
  let nextReport = start;
  return await lockNewCluster(paths, {
    timeoutMs,
    signal,
    onWait: ({ pid }) => {
      const now = monotonicMs();
      if (now < nextReport) return;
      nextReport = now + 1_000;
      emit({
        type: "waiting",
        for: `process ${pid}, which is working on the cluster`,
        elapsedMs: Math.round(now - start),
      });
    },
  });
}

async function bringUp(run: Run): Promise<UpResult> {
  const { input, paths, programs, step, signal, emit, made } = run;
  const existing = await step({
    name: "existing-cluster",
    title: "Looking for an existing cluster",
    run: () => examineExistingCluster(paths, signal),
    result: describeExistingCluster,
  });
  await removeDoomedDirectories(run.dataDirectory, run.name);
  const created = existing.kind === "none" || existing.kind === "unfinished";
  made.directory = created;

  const adopted = adoptableRecord(existing, input);
  if (adopted !== null) {
    made.runtime = created;
    const options = resolveOptions(input, adopted);
    await tellEgressUnchanged(options, paths, emit);
    const { node } = await readNodeSpec(paths);
    if (node !== null) tellImagesDirectoryUnchanged(options, node.images.directory, emit);
    return await finish(run, adopted, { created, wasRunning: true });
  }

  if (existing.kind !== "none") {
    await step({
      name: "clean-up",
      title: "Ending what the last run has left",
      run: () => stopRuntime(async () => programs, paths, { graceMs: 0, signal }),
    });
  }
  if (created) await removeClusterContents(paths);
  const options = resolveOptions(input, existing.kind === "stopped" ? existing.record : null);
  const { mode } = await prepare({
    options,
    createdAt: existing.kind === "stopped" ? existing.record.createdAt : null,
    paths,
    programs,
    environment: run.environment,
    signal,
    emit,
    step,
  });
  const record: ClusterRecord =
    existing.kind === "stopped"
      ? existing.record
      : {
          schema: 1,
          name: options.name,
          version: programs.version,
          createdAt: new Date().toISOString(),
          completedAt: null,
          settings: settingsOf(options, mode),
        };
  await writeClusterRecord(paths, record);
  made.runtime = true;
  await step({
    name: "supervisor",
    title: "Starting the supervisor",
    run: () => startSupervisor(programs, paths, signal),
  });
  return await finish(run, record, { created, wasRunning: false });
}

/** Waits until the started cluster is usable, and remembers that it once was. */
async function finish(
  run: Run,
  record: ClusterRecord,
  state: { created: boolean; wasRunning: boolean },
): Promise<UpResult> {
  const { paths, step, signal, emit, startMs, startedAt, timeoutMs } = run;
  const spec = await readNodeSpec(paths);
  const elapsedMs = monotonicMs() - startMs;
  const timings = await waitUntilUsable({
    client: new SupervisorClient(paths.controlSocket),
    paths,
    nodes: spec.nodes.map(({ name }) => name),
    dnsAddress: spec.node?.network.dnsAddress ?? null,
    startMs,
    startedAt,
    deadline: { ...deadlineIn(timeoutMs - elapsedMs), limitMs: timeoutMs },
    signal,
    emit,
    step,
  });
  const completed = {
    ...record,
    completedAt: record.completedAt ?? new Date().toISOString(),
  };
  if (record.completedAt === null) await writeClusterRecord(paths, completed);
  return {
    record: completed,
    paths,
    adaptations: await readAdaptations(paths),
    ...state,
    timings,
  };
}

/** The record of a cluster whose running supervisor this `up` can go on with; null when it has to start one. */
function adoptableRecord(
  existing: ExistingCluster,
  input: ClusterOptionsInput,
): ClusterRecord | null {
  if (existing.kind === "running") return existing.record;
  if (existing.kind !== "unfinished" || !existing.running || existing.record === null) return null;
  return agrees(input, existing.record.settings) ? existing.record : null;
}

function retained(error: SandkubeError, paths: ClusterPaths): SandkubeError {
  const kept = `What was made is kept in ${paths.directory}; \`sandkube delete\` removes it.`;
  return new SandkubeError(error.code, error.message, {
    hint: error.hint === undefined ? kept : `${error.hint} ${kept}`,
    details: error.details,
    cause: error.cause,
  });
}
