import { expect, it } from "vitest";
import { SuiteProgress } from "./progress.js";

/** Lines of a run, with most of what specs say themselves left out. */
const output = `Will run 3 of 7579 specs
------------------------------
[SynchronizedBeforeSuite] 
k8s.io/kubernetes@v1.36.4/test/e2e/e2e.go:69
  I1124 22:02:41.471703     268 e2e.go:254] kube-apiserver version: v1.36.4
[SynchronizedBeforeSuite] PASSED [0.052 seconds]
------------------------------
SSSSSSSSSSSS
------------------------------
[sig-network] DNS should provide DNS for the cluster [Conformance] [sig-network, Conformance]
k8s.io/kubernetes@v1.36.4/test/e2e/network/dns.go:54
  STEP: Creating a kubernetes client @ 11/24/26 22:03:01.880
• [15.423 seconds]
------------------------------
SSS
------------------------------
[sig-network] Networking Granular Checks: Pods should function for intra-pod communication: udp [NodeConformance] [Conformance] [sig-network, NodeConformance, Conformance]
k8s.io/kubernetes@v1.36.4/test/e2e/common/network/networking.go:96
  STEP: Creating test pods @ 11/24/26 22:02:56.237
• [FAILED] [19.074 seconds]
[sig-network] Networking Granular Checks: Pods [It] should function for intra-pod communication: udp [NodeConformance] [Conformance] [sig-network, NodeConformance, Conformance]
k8s.io/kubernetes@v1.36.4/test/e2e/common/network/networking.go:96
------------------------------
[sig-network] DNS should provide DNS for the cluster [Provider:GCE] [sig-network]
k8s.io/kubernetes@v1.36.4/test/e2e/network/dns.go:79
  [SKIPPED] in [It] - k8s.io/kubernetes@v1.36.4/test/e2e/network/dns.go:80 @ 11/24/26 22:03:17.659
S [SKIPPED] [0.254 seconds]
[sig-network] DNS [It] should provide DNS for the cluster [Provider:GCE] [sig-network]
------------------------------
[SynchronizedAfterSuite] PASSED [0.006 seconds]
`;

it("finds the specs that end, with their texts", () => {
  const progress = new SuiteProgress();
  const ended = output.split("\n").flatMap((line) => progress.take(line) ?? []);
  expect(progress.total).toBe(3);
  expect(ended).toEqual([
    {
      name: "[sig-network] DNS should provide DNS for the cluster [Conformance]",
      outcome: "passed",
      seconds: 15.423,
    },
    {
      name: "[sig-network] Networking Granular Checks: Pods should function for intra-pod communication: udp [NodeConformance] [Conformance]",
      outcome: "failed",
      seconds: 19.074,
    },
    {
      name: "[sig-network] DNS should provide DNS for the cluster [Provider:GCE] [sig-network]",
      outcome: "skipped",
      seconds: 0.254,
    },
  ]);
});
