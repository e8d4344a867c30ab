import type { Adaptation } from "../adaptation.js";
import { evidenceOf, roomEvidence } from "../evidence.js";
import { snapshotStorage } from "../snapshot-storage.js";

export const nativeSnapshotter: Adaptation = {
  id: "native-snapshotter",
  title: "each container gets a full copy of its image",
  reason:
    "overlayfs takes no upper directory in the data directory, and none on a tmpfs, or memory is too small for one.",
  when:
    "overlayfs does not take an upper directory in the data directory, and does not take one on a tmpfs " +
    "either or less than 2 GiB of memory are available (1 GiB where less than 2 GiB of the disk are free).",
  effect:
    "containerd's native snapshotter copies the whole image for each container. An image itself is unpacked " +
    "once, as a whole: images share no layers.",
  loses: "Disk space and time: a container needs a copy of its whole image before it starts.",
  upstream: [
    "https://github.com/google/gvisor/issues/12828",
    "https://github.com/containerd/containerd/blob/v2.2.1/docs/snapshotters/README.md",
  ],
  obsoleteWhen: "overlay.upper-on-data is yes in every supported sandbox.",
  applies: (facts) =>
    snapshotStorage(facts).kind === "copies"
      ? [
          ...evidenceOf(facts, ["overlay.upper-on-data", "overlay.upper-on-tmpfs"]),
          ...roomEvidence(facts),
        ]
      : null,
  apply: (node) => ({ ...node, containerd: { ...node.containerd, snapshotter: "native" } }),
};
