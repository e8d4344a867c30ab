import type { Adaptation } from "../adaptation.js";
import { evidenceOf } from "../evidence.js";
import { works, type FactId } from "../../sandbox/facts.js";

const needed: readonly FactId[] = ["keyring.session", "proc-sys.kernel/keys/root_maxkeys"];

export const noKeyring: Adaptation = {
  id: "no-keyring",
  title: "containers get no session keyring",
  reason:
    "runc joins a new session keyring for each container with keyctl(2), and fails where that is refused. gVisor never frees one and has 200 at most: without this, no further container starts after 200.",
  when: "keyctl(KEYCTL_JOIN_SESSION_KEYRING) does not work, or the number of keys can not be raised as the kubelet wants it for this.",
  effect: "containerd starts runc with --no-new-keyring.",
  loses: "Containers share the node's session keyring, as far as the sandbox has keyrings at all.",
  upstream: [
    "https://man7.org/linux/man-pages/man2/keyctl.2.html",
    "https://github.com/google/gvisor/blob/master/pkg/sentry/kernel/auth/key.go",
  ],
  obsoleteWhen:
    "keyring.session and proc-sys.kernel/keys/root_maxkeys are yes in every supported sandbox.",
  applies: (facts) => (needed.every((id) => works(facts, id)) ? null : evidenceOf(facts, needed)),
  apply: (node) => ({ ...node, containerd: { ...node.containerd, newKeyring: false } }),
};
