import { describe, expect, it } from "vitest";
import { parseClusterOptions } from "../config/cluster-options.js";
import type { ClusterMode } from "../events.js";
import { chooseMode } from "../sandbox/modes.js";
import type { Facts } from "../sandbox/facts.js";
import { recordedFacts, recordedNames } from "../sandbox/testing/recorded-facts.js";
import type { AdaptationId } from "./adaptation.js";
import { baseNodeSpec, nodeSpecSchema } from "./node-spec.js";
import { appliedAdaptationSchema, planNode } from "./plan.js";

function baseFor(mode: ClusterMode, facts: Facts = recordedFacts("full-kernel")) {
  return baseNodeSpec(
    parseClusterOptions({ dataDirectory: "/d" }),
    { clusterDirectory: "/d/default", programs: "/p" },
    mode,
    facts.system,
  );
}

/** What every recorded gVisor sandbox needs. */
const everywhere: AdaptationId[] = [
  "cgroup-v1-mounts",
  "kernel-tunables",
  "sysctl-stand-ins",
  "kmsg-stub",
  "unprivileged-ports",
  "no-cgroup-namespace",
  "no-keyring",
  "advisory-limits",
];

/** What gVisor's defaults add: an overlay as the root file system, and no raw sockets. */
const byDefault: AdaptationId[] = [...everywhere, "snapshots-on-tmpfs", "no-iptables"];

/** The exact adaptations of each recorded sandbox, in the mode that it allows. */
const expected: Record<string, AdaptationId[]> = {
  "full-kernel": [],
  bare: ["kernel-tunables", "oom-score"],
  g26: byDefault,
  "g26-9p": [...everywhere, "no-iptables"],
  "g26-9p-on-overlay": byDefault,
  "g26-net-raw": [...everywhere, "snapshots-on-tmpfs"],
  "g26-trixie": [...byDefault, "libmount-mount2"],
  g24: [...byDefault, "any-proc-root", "masked-directories", "shared-pid-namespace"],
  "g26-no-net-admin": [...byDefault, "shared-pod-network"],
  "g26-network-host": [...byDefault, "shared-pod-network"],
  "g24-no-net-admin": [
    ...byDefault,
    "any-proc-root",
    "masked-directories",
    "shared-pid-namespace",
    "shared-pod-network",
  ],
  "bare-no-net-admin": ["kernel-tunables", "oom-score", "no-iptables", "shared-pod-network"],
  unprivileged: [],
};

it("has an expectation for each recorded sandbox", () => {
  expect(Object.keys(expected).toSorted()).toEqual(recordedNames());
});

describe.each(Object.entries(expected))("the plan for %s", (sandbox, ids) => {
  const facts = recordedFacts(sandbox);
  const plan = planNode(facts, baseFor(chooseMode("auto", facts), facts));

  it("has exactly the adaptations that its facts call for", () => {
    expect(plan.adaptations.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  });

  it("gives a valid node spec", () => {
    expect(nodeSpecSchema.parse(plan.spec)).toEqual(plan.spec);
  });

  it("can be recorded as JSON", () => {
    const read: unknown = JSON.parse(JSON.stringify(plan.adaptations));
    expect(appliedAdaptationSchema.array().parse(read)).toEqual(plan.adaptations);
  });

  it("needs nothing adapted for the control plane alone", () => {
    const base = baseFor("control-plane");
    expect(planNode(facts, base)).toEqual({ adaptations: [], spec: base });
  });
});

describe("planNode", () => {
  it("leaves the spec of a full kernel as it is", () => {
    const facts = recordedFacts("full-kernel");
    expect(planNode(facts, baseFor("full")).spec).toEqual(baseFor("full"));
  });

  it("does not change its arguments", () => {
    const facts = recordedFacts("g24");
    const base = baseFor("full");
    planNode(facts, base);
    expect(facts).toEqual(recordedFacts("g24"));
    expect(base).toEqual(baseFor("full"));
  });

  it("combines adaptations of the same part", () => {
    const facts = recordedFacts("g24");
    facts.facts["namespace.cgroup"] = { state: "no", errno: "EINVAL", elapsedMs: 0 };
    expect(planNode(facts, baseFor("full")).spec.node?.oci).toMatchObject({
      dropNamespaces: ["pid", "cgroup"],
      dropMaskedDirectories: true,
      dropSeccomp: false,
      anyProcRoot: true,
    });
  });
});
