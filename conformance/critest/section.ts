import type { SuiteText } from "../report/suite-section.js";
import { explanations } from "./explanations.js";

export const critestSuite: SuiteText = {
  title: "critest: the Container Runtime Interface",
  unit: "spec",
  component: "cri-tools",
  explanations,
  introduction: `
The validation tests of the Container Runtime Interface, as
[cri-tools](https://github.com/kubernetes-sigs/cri-tools/blob/master/docs/validation.md) has them, on the
containerd of a node that \`sandkube up\` made. They run in the node's namespaces. critest asks to be the
only one that uses containerd, so the kubelet is stopped while it runs. Nothing in it is changed or left
out; a result is that of a spec's latest run with

    npm run conformance -- --suite critest --lab KIND [--focus REGEX]

critest pulls its images from [a registry in the sandbox](../conformance/README.md); they are substituted
but \`nonewprivs\`, mostly by other versions.
`,
};
