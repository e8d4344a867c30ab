import { SandkubeError } from "../errors.js";
import type { ProgressListener, RoleName, SupervisorEvent } from "../events.js";
import { tailOf } from "../platform/files.js";
import type { ClusterPaths } from "../state/cluster-paths.js";
import type { SupervisorClient } from "./supervisor-client.js";

/** A role that has been restarted this often while it is awaited will not come up. */
const hopelessRestarts = 3;

/** A running watch over a cluster's supervisor; disposing ends it. */
export interface RuntimeWatch extends AsyncDisposable {
  /** Aborted, with a SandkubeError as its reason, when the supervisor ends or a role can not be kept up. */
  readonly failed: AbortSignal;
  /** The services of a role that have started and are not ready, such as `kubelet (starting)`. */
  unready(role: RoleName): string[];
}

/**
 * Follows the supervisor's events: passes each on, and notices when waiting has become
 * hopeless. What happened before `since` (milliseconds since the epoch) is passed over.
 */
export function watchRuntime(
  client: SupervisorClient,
  paths: ClusterPaths,
  since: number,
  emit: ProgressListener,
): RuntimeWatch {
  const failure = new AbortController();
  const end = new AbortController();
  const services: ServiceStates = { last: new Map(), wereReady: new Set(), problems: new Set() };
  const tell = (event: SupervisorEvent) => {
    emit({ type: "runtime", event });
    if (event.type === "service") noteService(services, event, emit);
  };
  const watch = async () => {
    try {
      failure.abort(await follow(client, paths, since, tell, end.signal));
    } catch (error) {
      if (!end.signal.aborted) failure.abort(SandkubeError.from(error));
    }
  };
  const following = watch();
  return {
    failed: failure.signal,
    unready: (role) =>
      [...services.last.values()]
        .filter((event) => event.role === role && event.state !== "ready")
        .map(({ service, state, message }) =>
          message ? `${service} (${state}: ${message})` : `${service} (${state})`,
        ),
    async [Symbol.asyncDispose]() {
      end.abort();
      await following;
    },
  };
}

type ServiceEvent = Extract<SupervisorEvent, { type: "service" }>;

/** The last event of each service, by role and name, those that were ever ready, and the problems told. */
interface ServiceStates {
  last: Map<string, ServiceEvent>;
  wereReady: Set<string>;
  problems: Set<string>;
}

/** Remembers a service's state, and tells when it is ready for the first time, and of each problem once. */
function noteService(services: ServiceStates, event: ServiceEvent, emit: ProgressListener): void {
  const { role, service, state, elapsedMs } = event;
  const key = `${role}/${service}`;
  services.last.set(key, event);
  for (const problem of event.problems ?? []) {
    const message = `${service}: ${problem}`;
    if (services.problems.has(message)) continue;
    services.problems.add(message);
    emit({ type: "warning", message });
  }
  if (state !== "ready" || services.wereReady.has(key)) return;
  services.wereReady.add(key);
  emit({ type: "service-ready", role, service, elapsedMs: elapsedMs ?? 0 });
}

async function follow(
  client: SupervisorClient,
  paths: ClusterPaths,
  since: number,
  tell: (event: SupervisorEvent) => void,
  signal: AbortSignal,
): Promise<SandkubeError> {
  const fatal = new Map<RoleName, string>();
  for await (const event of client.events(signal)) {
    if (Date.parse(event.time) < since) continue;
    tell(event);
    if (event.type === "fatal") fatal.set(event.role, event.message);
    if (isHopeless(event)) return await roleFailed(event, fatal.get(event.role), paths);
  }
  signal.throwIfAborted();
  const log = paths.log("supervisor");
  return new SandkubeError("E_START", "the supervisor has ended", {
    details: { role: "supervisor", log, output: await tailOf(log, 10) },
  });
}

type RoleEvent = Extract<SupervisorEvent, { type: "role" }>;

function isHopeless(event: SupervisorEvent): event is RoleEvent {
  return (
    event.type === "role" &&
    event.state === "backing-off" &&
    (event.restarts ?? 0) >= hopelessRestarts
  );
}

async function roleFailed(
  event: RoleEvent,
  fatalMessage: string | undefined,
  paths: ClusterPaths,
): Promise<SandkubeError> {
  const log = event.log ?? paths.log(event.role);
  const part = event.service === undefined ? event.role : `${event.service} (role ${event.role})`;
  const reason = fatalMessage ?? event.message;
  return new SandkubeError(
    "E_START",
    `${part} has ended ${event.restarts} times${reason ? `: ${reason}` : ""}`,
    {
      details: {
        role: event.role,
        service: event.service,
        restarts: event.restarts,
        exitCode: event.exitCode,
        signal: event.signal,
        log,
        output: await tailOf(log, 10),
      },
    },
  );
}
