import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Patch } from "../../runtime/upstream/patches/patch.js";

/** Applies patches to a vendor directory. Fails unless every `find` occurs exactly once. */
export async function applyPatches(vendor: string, patches: readonly Patch[]): Promise<void> {
  for (const patch of patches) {
    const path = join(vendor, patch.module, patch.file);
    let text = await readFile(path, "utf8");
    for (const edit of patch.edits) text = applyEdit(text, edit, patch);
    await writeFile(path, text);
  }
}

function applyEdit(text: string, edit: Patch["edits"][number], patch: Patch): string {
  const parts = text.split(edit.find);
  if (parts.length !== 2) {
    throw new Error(
      `patch ${patch.id} no longer applies: this text occurs ${parts.length - 1} times, not once, in ` +
        `${patch.module}/${patch.file}:\n${edit.find}\n` +
        `It can go when ${patch.removeWhen}. See ${patch.upstream}`,
    );
  }
  return parts.join(edit.replace);
}
