import { fails } from "../../sandbox/facts.js";
import type { Adaptation } from "../adaptation.js";
import { evidenceOf } from "../evidence.js";

export const anyProcRoot: Adaptation = {
  id: "any-proc-root",
  title: "runc accepts any inode number of /proc",
  reason:
    "Before it writes below /proc, runc checks that the file system's root has inode number 1, to be sure of " +
    'a real procfs. Some sandboxes number it otherwise: "unsafe procfs detected: incorrect procfs root inode number".',
  when: "The root of a freshly mounted procfs has an inode number other than 1.",
  effect: "runc checks the file system's type only, not the inode number of its root.",
  loses:
    "One of runc's two guards against a forged /proc inside a container; the check of the file system's type stays.",
  upstream: [
    "https://github.com/cyphar/filepath-securejoin/blob/v0.6.1/pathrs-lite/internal/procfs/procfs_linux.go",
  ],
  obsoleteWhen: "procfs.root-inode is yes in every supported sandbox.",
  // An untried check is no reason to weaken runc's.
  applies: (facts) =>
    fails(facts, "procfs.root-inode") ? evidenceOf(facts, ["procfs.root-inode"]) : null,
  apply: (node) => ({ ...node, oci: { ...node.oci, anyProcRoot: true } }),
};
