/** The processors that sandkube is built for, by Node's names for them. */
export const architectures = ["x64", "arm64"] as const;

export type Architecture = (typeof architectures)[number];

/** What a processor is called elsewhere. */
export interface ArchitectureNames {
  /** GOARCH. */
  readonly go: string;
  /** Debian's name of the architecture. */
  readonly debian: string;
  /** The GNU triplet that cross compilers and library directories are named by. */
  readonly triplet: string;
  /** e_machine of ELF programs. */
  readonly elfMachine: number;
  /** qemu's name, for programs that emulate the processor. */
  readonly qemu: string;
}

export const architectureNames: Readonly<Record<Architecture, ArchitectureNames>> = {
  x64: {
    go: "amd64",
    debian: "amd64",
    triplet: "x86_64-linux-gnu",
    elfMachine: 62,
    qemu: "x86_64",
  },
  arm64: {
    go: "arm64",
    debian: "arm64",
    triplet: "aarch64-linux-gnu",
    elfMachine: 183,
    qemu: "aarch64",
  },
};

/** The processor that a name stands for; throws for any other name. */
export function architectureNamed(name: string): Architecture {
  const found = architectures.find((architecture) => architecture === name);
  if (found !== undefined) return found;
  throw new Error(`sandkube is built for ${architectures.join(" and ")}, not for ${name}`);
}

/** The processor of this machine; throws where sandkube is not built for it. */
export function hostArchitecture(): Architecture {
  return architectureNamed(process.arch);
}
