import type { Explanation } from "../report/explanation.js";

const upstreamServer =
  "https://github.com/kubernetes/kubernetes/blob/v1.36.4/hack/make-rules/test-cmd.sh";

const withoutAccount = `replaces a pod by what it was made of: the admission plugin ServiceAccount has added the account and its token, [upstream's API server](${upstreamServer}) runs without it`;

const withoutToken = `uses the token \`admin-token\`, which [upstream's API server](${upstreamServer}) is started with and which no cluster of sandkube knows`;

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
  {
    spec: "run_exec_credentials_interactive_tests",
    cause: withoutToken,
  },
  {
    spec: "run_authorization_tests",
    cause: withoutToken,
  },
  {
    spec: "run_swagger_tests",
    cause: withoutToken,
  },
  {
    spec: "run_exec_credentials_tests",
    cause: `looks for the name that the CA of clients has with [upstream's API server](${upstreamServer})`,
  },
  {
    spec: "run_impersonation_tests",
    cause: `acts as a user without any right, to whom [upstream's API server](${upstreamServer}) allows everything`,
  },
  {
    spec: "run_multi_resources_tests",
    cause:
      "creates objects from a file of Kubernetes' repository on the web, which the lab does not reach",
  },
];
