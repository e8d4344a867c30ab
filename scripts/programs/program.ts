import type { Recipe } from "./content-key.js";

/** Something that is built into one file. */
export interface Program {
  /** Name of the file. */
  readonly name: string;
  /** Whether it goes into the programs directory; other results only serve to build some. */
  readonly shipped: boolean;
  /** Whether it is an ELF program, which then has to be static. */
  readonly executable: boolean;
  recipe(): Promise<Recipe>;
  /** Names of the programs that its build runs; they precede it in the catalogue. */
  readonly uses?: readonly string[];
  /** Time of the first build on 2 cores, downloads apart. */
  readonly coldSeconds: number;
  /** Time when only little changed and Go's build cache holds the rest. */
  readonly warmSeconds: number;
  build(context: BuildContext): Promise<void>;
}

export interface BuildContext {
  /** File to write. */
  readonly output: string;
  /** Empty directory for this build alone, removed afterwards. */
  readonly scratch: string;
  /** Path of the result of a program that this one uses. */
  resultOf(name: string): string;
  report(message: string): void;
}
