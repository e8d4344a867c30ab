import type { Explanation } from "../report/explanation.js";

const upstreamServer =
  "https://github.com/kubernetes/kubernetes/blob/v1.36.4/hack/make-rules/test-cmd.sh";

const withoutAccount = `replaces a pod by what it was made of: the admission plugin ServiceAccount has added the account and its token, [upstream's API server](${upstreamServer}) runs without it`;

export const explanations: readonly Explanation[] = [
  {
    spec: "run_pod_tests",
    cause: `replaces a Node that has just been made: sandkube's controller manager has given it addresses for pods meanwhile, [upstream's](${upstreamServer}) gives none`,
  },
  {
    spec: "run_save_config_tests",
    cause: withoutAccount,
  },
  {
    spec: "run_recursive_resources_tests",
    cause: withoutAccount,
  },
];
