import { describe, expect, it } from "vitest";
import type { DoctorReport } from "sandkube";
import { sandboxForSuite } from "./harness/suites.js";
import { tracesOf } from "./harness/traces.js";

/** What every generation of gVisor with its default flags needs. */
const gvisorAdaptations = [
  "advisory-limits",
  "cgroup-v1-mounts",
  "kernel-tunables",
  "kmsg-stub",
  "no-cgroup-namespace",
  "no-iptables",
  "no-keyring",
  "snapshots-on-tmpfs",
  "sysctl-stand-ins",
  "unprivileged-ports",
];

const expectedAdaptations = {
  g26: gvisorAdaptations,
  g24: [...gvisorAdaptations, "any-proc-root", "masked-directories", "shared-pid-namespace"],
  bare: ["kernel-tunables", "oom-score"],
} as const;

describe.each(["g26", "g24", "bare"] as const)("doctor in %s", (kind) => {
  const sandkube = sandboxForSuite({ kind });

  it("finds what has to be adapted, and leaves nothing behind", async () => {
    const before = await tracesOf(sandkube().sandbox);
    const report = JSON.parse(await sandkube().do(["doctor", "--json"])) as DoctorReport;
    expect(report.adaptations.map(({ id }) => id).toSorted()).toEqual(
      expectedAdaptations[kind].toSorted(),
    );
    expect(report.factCounts).toMatchObject({ timeout: 0, crash: 0 });
    expect(report.modes).toEqual([
      { mode: "full", allowed: true, missing: [] },
      { mode: "host-network", allowed: true, missing: [] },
      { mode: "control-plane", allowed: true, missing: [] },
    ]);
    expect(report.unpackedImages).toMatchObject({ kind: kind === "bare" ? "disk" : "tmpfs" });
    expect(await tracesOf(sandkube().sandbox)).toEqual(before);
  });

  it("explains each adaptation by the facts found here", async () => {
    const [id = ""] = expectedAdaptations[kind];
    const text = await sandkube().do(["explain", id]);
    expect(text).toContain(id);
    expect(text).not.toContain("not needed here");
  });
});
