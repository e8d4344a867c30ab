import type { Adaptation } from "../adaptation.js";
import { unlessWorks } from "../evidence.js";

export const maskedDirectories: Adaptation = {
  id: "masked-directories",
  title: "masked directories are left visible",
  reason:
    "runc hides directories such as /proc/acpi behind a tmpfs mounted with nr_blocks and nr_inodes. " +
    "Some sandboxes refuse these options with EINVAL, and no container starts.",
  when: "A tmpfs with the options nr_blocks and nr_inodes can not be mounted.",
  effect: "Directories are removed from each container's linux.maskedPaths; masked files stay.",
  loses: "Containers see the masked directories of /proc and /sys, as far as the sandbox has them.",
  upstream: ["https://github.com/opencontainers/runc/blob/v1.3.6/libcontainer/rootfs_linux.go"],
  obsoleteWhen: "mount.tmpfs-inode-options is yes in every supported sandbox.",
  applies: (facts) => unlessWorks(facts, "mount.tmpfs-inode-options"),
  apply: (node) => ({ ...node, oci: { ...node.oci, dropMaskedDirectories: true } }),
};
