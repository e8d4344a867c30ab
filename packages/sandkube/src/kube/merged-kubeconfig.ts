import { isCollection, isMap, isSeq, parseDocument, YAMLSeq, type Document } from "yaml";
import { SandkubeError } from "../errors.js";

const lists = ["clusters", "users", "contexts"] as const;

/**
 * Adds the cluster, user and context of one kubeconfig to another, replacing those of the same names;
 * all else stays as it is, comments included. With `switchContext` the added context becomes the
 * current one; it does so in any case where there is none. Throws E_CONFIG for a text that is no
 * kubeconfig, naming `file`.
 */
export function mergeKubeconfigs(
  text: string,
  added: string,
  { file, switchContext }: { file: string; switchContext: boolean },
): string {
  const target = parsed(text.trim() === "" ? "apiVersion: v1\nkind: Config\n" : text, file);
  const source = parsed(added, "the cluster's kubeconfig");
  for (const list of lists) {
    const entries = entriesOf(source, list, file);
    const into = entriesOf(target, list, file);
    for (const entry of entries.items) {
      const name = nameOf(entry);
      const index = into.items.findIndex((candidate) => nameOf(candidate) === name);
      if (index < 0) into.add(target.createNode(toPlain(entry)));
      else into.set(index, target.createNode(toPlain(entry)));
    }
  }
  if (switchContext || !target.get("current-context")) {
    target.set("current-context", source.get("current-context"));
  }
  return target.toString({ lineWidth: 0 });
}

/**
 * Takes the cluster, user and context of a name out of a kubeconfig. A current context of that name is
 * left empty, as `kubectl config unset` does. Gives null when nothing of that name was there.
 */
export function withoutCluster(text: string, name: string, file: string): string | null {
  const target = parsed(text, file);
  let found = false;
  for (const list of lists) {
    if (!target.has(list)) continue;
    const entries = entriesOf(target, list, file);
    const kept = entries.items.filter((entry) => nameOf(entry) !== name);
    found ||= kept.length < entries.items.length;
    entries.items = kept;
  }
  if (target.get("current-context") === name) {
    target.set("current-context", "");
    found = true;
  }
  return found ? target.toString({ lineWidth: 0 }) : null;
}

function parsed(text: string, file: string): Document {
  const document = parseDocument(text);
  const [problem] = document.errors;
  if (problem === undefined && isMap(document.contents)) return document;
  throw notKubeconfig(file, problem?.message ?? "it is not a mapping");
}

/** A list of a kubeconfig, made when there is none; kubectl writes an empty one as null. */
function entriesOf(document: Document, list: string, file: string): YAMLSeq {
  const found: unknown = document.get(list);
  if (isSeq(found)) {
    // What kubectl writes as [] would stay on one line with what is added.
    if (found.items.length === 0) found.flow = false;
    return found;
  }
  if (found !== undefined && found !== null) throw notKubeconfig(file, `${list} is not a list`);
  const made = new YAMLSeq();
  document.set(list, made);
  return made;
}

function nameOf(entry: unknown): unknown {
  return isMap(entry) ? entry.get("name") : undefined;
}

function toPlain(entry: unknown): unknown {
  return isCollection(entry) ? (entry.toJSON() as unknown) : entry;
}

function notKubeconfig(file: string, reason: string): SandkubeError {
  return new SandkubeError("E_CONFIG", `${file} is no kubeconfig: ${reason}`, {
    hint: "Mend it, or name another file with --file.",
    details: { file },
  });
}
