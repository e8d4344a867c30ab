import { describe, expect, it } from "vitest";
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
  STEP: Destroying namespace "dns-7949" for this suite. @ 11/24/26 22:03:16.102
  STEP: Destroying namespace "dns-7949-b" for this suite. @ 11/24/26 22:03:16.103
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

  [FAILED] failed dialing endpoint, did not find expected responses...
  In [It] at: k8s.io/kubernetes@v1.36.4/test/e2e/common/network/networking.go:99
------------------------------
[sig-network] DNS should provide DNS for the cluster [Provider:GCE] [sig-network]
k8s.io/kubernetes@v1.36.4/test/e2e/network/dns.go:79
  [SKIPPED] in [It] - k8s.io/kubernetes@v1.36.4/test/e2e/network/dns.go:80 @ 11/24/26 22:03:17.659
S [SKIPPED] [0.254 seconds]
[sig-network] DNS [It] should provide DNS for the cluster [Provider:GCE] [sig-network]
------------------------------
[SynchronizedAfterSuite] PASSED [0.006 seconds]
`;

/** The same of a run in parallel. */
const outputInParallel = `Will run 2 of 7579 specs
Running in parallel across 2 processes
------------------------------
[SynchronizedBeforeSuite] PASSED [0.052 seconds]
k8s.io/kubernetes@v1.36.4/test/e2e/e2e.go:69
------------------------------
• [15.423 seconds]
[sig-network] DNS should provide DNS for the cluster [Conformance] [sig-network, Conformance]
k8s.io/kubernetes@v1.36.4/test/e2e/network/dns.go:54

  Timeline >>
  STEP: Creating a kubernetes client @ 11/24/26 22:03:01.880
  STEP: Destroying namespace "dns-7949" for this suite. @ 11/24/26 22:03:16.102
  << Timeline
------------------------------
SS
------------------------------
• [FAILED] [19.074 seconds]
[sig-network] Networking Granular Checks: Pods [It] should function for intra-pod communication: udp [NodeConformance] [Conformance] [sig-network, NodeConformance, Conformance]
k8s.io/kubernetes@v1.36.4/test/e2e/common/network/networking.go:96

  Timeline >>
  [FAILED] in [It] - k8s.io/kubernetes@v1.36.4/test/e2e/common/network/networking.go:99 @ 11/24/26 22:03:17.659
  << Timeline

  [FAILED] failed dialing endpoint, did not find expected responses...
  In [It] at: k8s.io/kubernetes@v1.36.4/test/e2e/common/network/networking.go:99
------------------------------
`;

const cluster = "[sig-network] DNS should provide DNS for the cluster [Conformance]";
const pods =
  "[sig-network] Networking Granular Checks: Pods should function for intra-pod communication: udp [NodeConformance] [Conformance]";
const provider = "[sig-network] DNS should provide DNS for the cluster [Provider:GCE]";

function specsIn(text: string) {
  const progress = new SuiteProgress([cluster, pods, provider]);
  const ended = text.split("\n").flatMap((line) => progress.take(line) ?? []);
  return { total: progress.total, ended };
}

describe("SuiteProgress", () => {
  it("finds the specs that end, with their texts", () => {
    expect(specsIn(output)).toEqual({
      total: 3,
      ended: [
        {
          name: cluster,
          outcome: "passed",
          seconds: 15.423,
          reason: "",
          namespaces: ["dns-7949", "dns-7949-b"],
        },
        {
          name: pods,
          outcome: "failed",
          seconds: 19.074,
          reason: "failed dialing endpoint, did not find expected responses...",
          namespaces: [],
        },
        { name: provider, outcome: "skipped", seconds: 0.254, reason: "", namespaces: [] },
      ],
    });
  });

  it("finds the specs that run beside others", () => {
    expect(specsIn(outputInParallel)).toEqual({
      total: 2,
      ended: [
        {
          name: cluster,
          outcome: "passed",
          seconds: 15.423,
          reason: "",
          namespaces: ["dns-7949"],
        },
        {
          name: pods,
          outcome: "failed",
          seconds: 19.074,
          reason: "failed dialing endpoint, did not find expected responses...",
          namespaces: [],
        },
      ],
    });
  });

  it("finds nothing in what is no spec", () => {
    const failed = "---------------------\n[ReportAfterSuite] [FAILED] [0.1 seconds]\n[x] y\n";
    expect(specsIn(`${failed}---------------------\n`).ended).toEqual([]);
  });
});
