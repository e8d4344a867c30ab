import type { SuiteText } from "../report/suite-section.js";
import { explanations } from "./explanations.js";

export const kubectlSuite: SuiteText = {
  title: "kubectl: the command-line tests",
  unit: "group",
  component: "kubernetes",
  explanations,
  introduction: `
Kubernetes' [command-line tests](https://github.com/kubernetes/kubernetes/tree/master/test/cmd), which drive
kubectl and kubectl-convert against an API server, on the control plane of \`sandkube up --control-plane\`
with the kubectl that sandkube brings. The scripts are upstream's own, taken from the module; nothing in
them is changed or left out. Upstream starts an API server for them that allows everything, knows the
token \`admin-token\` and lacks some admission plugins; here they meet the cluster as users do. Not run:
what upstream's script does outside of the groups, an API server with a version of its own.

    npm run conformance -- --suite kubectl --lab KIND [--focus REGEX]
`,
};
