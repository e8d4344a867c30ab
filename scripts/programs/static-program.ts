import { open } from "node:fs/promises";
import { architectureNames, hostArchitecture, type Architecture } from "./architecture.js";

const elfMagic = 0x7f454c46;
const segmentTypeInterpreter = 3;

/**
 * Fails unless the file is a statically linked 64-bit little-endian ELF program for a processor: the
 * programs run in root file systems that have no C library. Dynamic programs name their loader in a PT_INTERP segment.
 */
export async function requireStaticProgram(
  path: string,
  architecture: Architecture = hostArchitecture(),
): Promise<void> {
  const file = await open(path);
  try {
    const header = Buffer.alloc(64);
    await file.read(header, 0, header.length, 0);
    if (header.readUInt32BE(0) !== elfMagic) throw new Error(`${path} is not an ELF program`);
    const machine = header.readUInt16LE(18);
    if (machine !== architectureNames[architecture].elfMachine) {
      throw new Error(
        `${path} is not a program for ${architecture}: its ELF machine is ${machine}`,
      );
    }
    const tableOffset = Number(header.readBigUInt64LE(32));
    const entrySize = header.readUInt16LE(54);
    const entries = header.readUInt16LE(56);
    const table = Buffer.alloc(entrySize * entries);
    await file.read(table, 0, table.length, tableOffset);
    for (let entry = 0; entry < entries; entry++) {
      if (table.readUInt32LE(entry * entrySize) === segmentTypeInterpreter) {
        throw new Error(`${path} is not statically linked: it needs a dynamic loader`);
      }
    }
  } finally {
    await file.close();
  }
}
