import type { Adaptation } from "../adaptation.js";
import { unlessWorks } from "../evidence.js";

export const noKeyring: Adaptation = {
  id: "no-keyring",
  title: "containers get no session keyring",
  reason:
    "runc joins a new session keyring for each container with keyctl(2) and fails where that is refused.",
  when: "keyctl(KEYCTL_JOIN_SESSION_KEYRING) does not work.",
  effect: "containerd starts runc with --no-new-keyring.",
  loses: "Containers share the node's session keyring, as far as the sandbox has keyrings at all.",
  upstream: ["https://man7.org/linux/man-pages/man2/keyctl.2.html"],
  obsoleteWhen: "keyring.session is yes in every supported sandbox.",
  applies: (facts) => unlessWorks(facts, "keyring.session"),
  apply: (node) => ({ ...node, containerd: { ...node.containerd, newKeyring: false } }),
};
