import type { Adaptation } from "../adaptation.js";
import { evidenceOf, roomEvidence } from "../evidence.js";
import { snapshotStorage } from "../snapshot-storage.js";

export const snapshotsOnTmpfs: Adaptation = {
  id: "snapshots-on-tmpfs",
  title: "unpacked images and container layers live in memory",
  reason:
    "overlayfs needs an upper directory on a file system that can carry one. Inside a sandbox whose root is an " +
    "overlay itself the data directory can not, a tmpfs can.",
  when:
    "overlayfs does not take an upper directory in the data directory, takes one on a tmpfs, and at least " +
    "2 GiB of memory are available, or 1 GiB where less than 2 GiB of the disk are free.",
  effect:
    "containerd's snapshots lie on a tmpfs of a quarter of the available memory (at most 8 GiB). Images " +
    "themselves stay on disk and are unpacked again after a stop. When the tmpfs is 85 % full, the kubelet " +
    "removes pulled images that no pod has a container of.",
  loses:
    "Memory: each byte of an unpacked image, and each that a container writes to its root file system, is a " +
    "byte of memory in use; a layer that images share counts once.",
  upstream: [
    "https://github.com/google/gvisor/issues/12475",
    "https://github.com/google/gvisor/issues/12828",
  ],
  obsoleteWhen: "overlay.upper-on-data is yes in every supported sandbox.",
  applies: (facts) =>
    snapshotStorage(facts).kind === "tmpfs"
      ? [
          ...evidenceOf(facts, ["overlay.upper-on-data", "overlay.upper-on-tmpfs"]),
          ...roomEvidence(facts),
        ]
      : null,
  apply(node, facts) {
    const storage = snapshotStorage(facts);
    const snapshotTmpfsBytes = storage.kind === "tmpfs" ? storage.sizeBytes : 0;
    return { ...node, containerd: { ...node.containerd, snapshotTmpfsBytes } };
  },
};
