/**
 * A change made to an upstream module's source before it is built. Patches are a last resort:
 * each says why it is needed and when it can go, and the build fails when one no longer applies.
 */
export interface Patch {
  readonly id: string;
  /** Module path, as in go.mod. */
  readonly module: string;
  /** Path of the file inside the module. */
  readonly file: string;
  /** Each `find` occurs exactly once in the file. */
  readonly edits: readonly { readonly find: string; readonly replace: string }[];
  readonly reason: string;
  /** What to read: the upstream code or issue. */
  readonly upstream: string;
  readonly removeWhen: string;
}
