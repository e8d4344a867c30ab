/** Why the lab could not do what was asked; every cause has a code of its own. */
export type LabErrorCode =
  | "E_LAB_USAGE"
  | "E_LAB_UNSUPPORTED"
  | "E_LAB_HOST_COMMAND"
  | "E_LAB_BUILD"
  | "E_LAB_BOOT"
  | "E_LAB_SANDBOX_DIED"
  | "E_LAB_TIMEOUT"
  | "E_LAB_DISPOSED";

/** The only error class the lab throws. `message` is for people, `code` for programs. */
export class LabError extends Error {
  override readonly name = "LabError";
  readonly code: LabErrorCode;

  constructor(code: LabErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The last `lineCount` lines of a text, indented, for the end of an error message. */
export function tailOf(text: string, lineCount = 20): string {
  const lines = text.trimEnd().split("\n").slice(-lineCount);
  return lines.map((line) => `  | ${line}`).join("\n");
}
