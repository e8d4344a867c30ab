import { works } from "../../sandbox/facts.js";
import type { Adaptation } from "../adaptation.js";
import { evidenceOf } from "../evidence.js";

const needed = ["keyring.session", "keyring.reclaimed"] as const;

export const noKeyring: Adaptation = {
  id: "no-keyring",
  title: "containers get no session keyring",
  reason:
    "runc joins a new session keyring for each container with keyctl(2). gVisor never gives a key back and has 200 for all of the sandbox: after as many containers no other would start.",
  when: "keyctl(KEYCTL_JOIN_SESSION_KEYRING) does not work, or not for 256 keyrings in a row.",
  effect: "containerd starts runc with --no-new-keyring.",
  loses: "Containers share the node's session keyring, as far as the sandbox has keyrings at all.",
  upstream: [
    "https://man7.org/linux/man-pages/man2/keyctl.2.html",
    "https://github.com/google/gvisor/blob/master/pkg/sentry/kernel/auth/key.go",
  ],
  obsoleteWhen: "keyring.reclaimed is yes in every supported sandbox.",
  applies: (facts) => (needed.every((id) => works(facts, id)) ? null : evidenceOf(facts, needed)),
  apply: (node) => ({ ...node, containerd: { ...node.containerd, newKeyring: false } }),
};
