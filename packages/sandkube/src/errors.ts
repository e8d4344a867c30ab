/** Every way in which sandkube can fail, with the exit code that the CLI ends with. */
export const errorCodes = {
  E_INTERNAL: { exitCode: 1, meaning: "a defect in sandkube" },
  E_USAGE: { exitCode: 2, meaning: "the command line is wrong" },
  E_CONFIG: {
    exitCode: 10,
    meaning: "a setting of the cluster or an environment variable is invalid",
  },
  E_NOT_LINUX: { exitCode: 11, meaning: "clusters run on Linux only" },
  E_PROGRAMS_MISSING: {
    exitCode: 12,
    meaning: "sandkube's programs for this machine are not installed",
  },
  E_PROGRAMS_MISMATCH: {
    exitCode: 13,
    meaning: "sandkube's programs are damaged or of another version",
  },
  E_PRIVILEGE: { exitCode: 14, meaning: "this user has not the privileges that a node needs" },
  E_SANDBOX: { exitCode: 15, meaning: "the sandbox lacks something that a node needs" },
  E_PORT_TAKEN: {
    exitCode: 16,
    meaning: "another process listens on a port that the cluster needs",
  },
  E_RANGE_TAKEN: {
    exitCode: 17,
    meaning: "a pod or Service range overlaps a network that is in use",
  },
  E_LOCKED: { exitCode: 18, meaning: "another command is working on the cluster" },
  E_CLUSTER_NOT_FOUND: { exitCode: 19, meaning: "there is no cluster of that name" },
  E_CLUSTER_NOT_RUNNING: { exitCode: 20, meaning: "the cluster exists and is stopped" },
  E_CLUSTER_MISMATCH: { exitCode: 21, meaning: "the cluster exists with other settings" },
  E_STATE: { exitCode: 22, meaning: "a record in the data directory is unreadable" },
  E_DATA_DIRECTORY: { exitCode: 23, meaning: "the data directory can not be used" },
  E_START: { exitCode: 24, meaning: "a part of the cluster did not start" },
  E_TIMEOUT: { exitCode: 25, meaning: "a wait reached its limit" },
  E_IMAGE: { exitCode: 26, meaning: "the images of the node can not be worked on" },
  E_IMAGE_INVALID: {
    exitCode: 40,
    meaning: "an image is damaged, incomplete or of an unknown form",
  },
  E_IMAGE_PLATFORM: { exitCode: 41, meaning: "an image is for another platform" },
  E_IMAGE_SPACE: { exitCode: 42, meaning: "there is not enough space for an image" },
  E_IMAGE_NOT_FOUND: { exitCode: 43, meaning: "the node has no image of that name" },
  E_IMAGE_IN_USE: { exitCode: 44, meaning: "pods use the image" },
  E_REGISTRY_NOT_FOUND: { exitCode: 50, meaning: "the registry has no image of that name" },
  E_REGISTRY_AUTH: { exitCode: 51, meaning: "the registry wants an account, or another one" },
  E_REGISTRY_RATE_LIMIT: { exitCode: 52, meaning: "the registry answers no more for a while" },
  E_EGRESS_REFUSED: { exitCode: 53, meaning: "a proxy or policy forbids the way to a registry" },
  E_TLS_UNTRUSTED: { exitCode: 54, meaning: "a registry's certificate is not trusted" },
  E_REGISTRY_UNREACHABLE: { exitCode: 55, meaning: "no connection to a registry can be made" },
  E_REGISTRY: { exitCode: 56, meaning: "a registry answers with an error" },
  E_SERVICE: { exitCode: 27, meaning: "a Service can not be published" },
  E_ARCHITECTURE: {
    exitCode: 28,
    meaning: "there are no programs for this processor, or those found are for another",
  },
  E_NOT_EXECUTABLE: {
    exitCode: 29,
    meaning: "sandkube's programs can not be executed where they lie",
  },
  E_MEMORY: { exitCode: 30, meaning: "the sandbox has too little memory" },
  E_CLOCK: { exitCode: 31, meaning: "the clock is far off" },
  E_CANCELLED: { exitCode: 130, meaning: "the caller cancelled the operation" },
} as const satisfies Record<`E_${string}`, { exitCode: number; meaning: string }>;

/** One of the closed set of failures in {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes;

/** Machine-readable facts about a failure; every value can be written as JSON. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** An error as JSON. */
export interface ErrorDocument {
  code: ErrorCode;
  message: string;
  hint?: string;
  details: ErrorDetails;
  exitCode: number;
}

export interface SandkubeErrorOptions {
  /** What the user can do about it, as one or more sentences. */
  hint?: string | undefined;
  details?: ErrorDetails | undefined;
  cause?: unknown;
}

/** The one class of errors that the library throws. */
export class SandkubeError extends Error {
  override readonly name = "SandkubeError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: SandkubeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }

  /** The exit code of a process that ends with this error. */
  get exitCode(): number {
    return errorCodes[this.code].exitCode;
  }

  /** The form in which `--json` prints the error. */
  toJSON(): ErrorDocument {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      details: this.details,
      exitCode: this.exitCode,
    };
  }

  /**
   * Returns a thrown value as a SandkubeError: itself if it is one, E_CANCELLED for an
   * AbortError, E_TIMEOUT for the TimeoutError of AbortSignal.timeout, E_DATA_DIRECTORY for a
   * file system that is full or read-only, else E_INTERNAL.
   */
  static from(thrown: unknown): SandkubeError {
    if (thrown instanceof SandkubeError) return thrown;
    if (thrown instanceof Error) {
      if (thrown.name === "AbortError") {
        return new SandkubeError("E_CANCELLED", "cancelled", { cause: thrown });
      }
      if (thrown.name === "TimeoutError") {
        return new SandkubeError("E_TIMEOUT", "the time limit was reached", { cause: thrown });
      }
      return (
        ofFileSystem(thrown) ?? new SandkubeError("E_INTERNAL", thrown.message, { cause: thrown })
      );
    }
    return new SandkubeError("E_INTERNAL", String(thrown), { cause: thrown });
  }
}

const fileSystemReasons: Readonly<Record<string, string>> = {
  ENOSPC: "is full",
  EDQUOT: "has reached the user's quota",
  EROFS: "is read-only",
};

/** What it means that a file can not be written, wherever that happened; null for any other failure. */
function ofFileSystem(thrown: Error): SandkubeError | null {
  const { code, path } = thrown as NodeJS.ErrnoException;
  const reason = fileSystemReasons[code ?? ""];
  if (reason === undefined) return null;
  const what = path === undefined ? "the file system" : `the file system of ${path}`;
  return new SandkubeError("E_DATA_DIRECTORY", `${what} ${reason}`, {
    hint: "Free some space or make it writable, or choose another place with --data or SANDKUBE_DATA.",
    details: { errno: code, path },
    cause: thrown,
  });
}
