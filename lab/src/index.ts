export { bootSandbox } from "./boot-sandbox.js";
export { LabError, type LabErrorCode } from "./errors.js";
export type { CommandResult } from "./host-command.js";
export type { NetworkKind, SandboxLink } from "./network-namespace.js";
export { prepare, type PrepareOptions } from "./prepare.js";
export { insidePaths, plainUser, type Userland } from "./root-filesystem.js";
export type { GvisorKind } from "./runsc-program.js";
export {
  sandboxKinds,
  type BootOptions,
  type ExecOptions,
  type ExtraMount,
  type ProcessRow,
  type Sandbox,
  type SandboxKind,
  type SandboxProcess,
  type SpawnOptions,
} from "./sandbox.js";
