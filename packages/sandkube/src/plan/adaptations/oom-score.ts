import type { Adaptation } from "../adaptation.js";
import { unlessWorks } from "../evidence.js";

export const oomScore: Adaptation = {
  id: "oom-score",
  title: "containers keep the node's OOM score at least",
  reason:
    "Kubernetes protects important containers from the OOM killer by a low oom_score_adj. Lowering it is a " +
    "privilege, and runc fails on a container where it is refused.",
  when: "A process can not lower its oom_score_adj.",
  effect: "containerd's restrict_oom_score_adj is true: it raises a refused value to its own.",
  loses: "The OOM killer does not spare guaranteed and critical pods.",
  upstream: ["https://github.com/containerd/containerd/blob/v2.2.1/docs/cri/config.md"],
  obsoleteWhen: "oom-score.lower is yes in every supported sandbox.",
  applies: (facts) => unlessWorks(facts, "oom-score.lower"),
  apply: (node) => ({ ...node, containerd: { ...node.containerd, restrictOomScoreAdj: true } }),
};
