import { access, constants, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { architectureNames, type Architecture } from "../programs/architecture.js";
import { run } from "../programs/command.js";
import { requireStaticProgram } from "../programs/static-program.js";
import { readVersions, type Versions } from "../programs/versions.js";

interface Question {
  readonly args: readonly string[];
  /** What the answer has to contain. */
  readonly answer: string;
}

/** How each program is asked for its version. */
function questions({ version, components }: Versions): Readonly<Record<string, Question>> {
  return {
    "sandkube-supervisor": { args: ["version"], answer: version },
    "sandkube-runtime": { args: ["version"], answer: version },
    "sandkube-oci": { args: ["version"], answer: version },
    "sandkube-network": { args: ["version"], answer: version },
    "sandkube-containerd": { args: ["containerd", "--version"], answer: components.containerd },
    "containerd-shim-runc-v2": { args: ["-v"], answer: components.containerd },
    runc: { args: ["--version"], answer: "libseccomp" },
  };
}

/**
 * Checks the programs of a laid out package before it is published: static, for the processor,
 * executable, each with a digest, and each says the version that it should. Programs for another
 * processor run in qemu's emulator. Throws with the first program that fails.
 */
export async function verifyRuntime(directory: string, architecture: Architecture): Promise<void> {
  const bin = join(directory, "bin");
  const manifest = JSON.parse(await readFile(join(bin, "programs.json"), "utf8")) as {
    files: Record<string, unknown>;
  };
  const listed = [...Object.keys(manifest.files), "programs.json"].toSorted();
  const found = (await readdir(bin)).toSorted();
  if (found.join() !== listed.join()) {
    throw new Error(`${bin} has ${found.join(", ")}; programs.json lists ${listed.join(", ")}`);
  }
  const emulator = architecture === process.arch ? null : await emulatorOf(architecture);
  const expected = questions(readVersions());
  const programs = found.filter((name) => !/\.(tar|json)$/.test(name));
  for (const name of programs) {
    const path = join(bin, name);
    await requireStaticProgram(path, architecture);
    await access(path, constants.X_OK);
    const question = expected[name];
    if (question === undefined) throw new Error(`nobody knows how to ask ${name} for its version`);
    const { args, answer } = question;
    const said = await run(emulator === null ? [path, ...args] : [emulator, path, ...args]);
    if (!said.includes(answer))
      throw new Error(`${name} ${args.join(" ")} says "${said.trim()}", not ${answer}`);
  }
}

async function emulatorOf(architecture: Architecture): Promise<string> {
  const emulator = `qemu-${architectureNames[architecture].qemu}-static`;
  try {
    await run([emulator, "--version"]);
    return emulator;
  } catch {
    throw new Error(
      `${emulator} is missing, in which programs for ${architecture} are tried: install Debian's qemu-user-static`,
    );
  }
}
