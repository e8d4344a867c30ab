import { fails } from "../../sandbox/facts.js";
import type { Adaptation } from "../adaptation.js";
import { evidenceOf } from "../evidence.js";

export const libmountMount2: Adaptation = {
  id: "libmount-mount2",
  title: "mount uses the mount system call",
  reason:
    "The kubelet runs the system's mount program for subPath volumes. Newer versions of it bind through the " +
    "open_tree family of calls and do not fall back where a sandbox has only a part of them: " +
    '"mount point is not a directory".',
  when: "The system's mount program can not bind a file onto a file.",
  effect: "The node runs with LIBMOUNT_FORCE_MOUNT2=always, which makes libmount use mount(2).",
  loses: null,
  upstream: [
    "https://github.com/util-linux/util-linux/issues/2413",
    "https://github.com/google/gvisor/issues/13174",
  ],
  obsoleteWhen: "mount.file-bind-by-program is yes in every supported sandbox and userland.",
  // Without a mount program there is nothing to steer.
  applies: (facts) =>
    fails(facts, "mount.file-bind-by-program")
      ? evidenceOf(facts, ["mount.file-bind-by-program"])
      : null,
  apply: (node) => ({
    ...node,
    kubelet: {
      ...node.kubelet,
      environment: { ...node.kubelet.environment, LIBMOUNT_FORCE_MOUNT2: "always" },
    },
  }),
};
