import { describe, expect, it } from "vitest";
import { chooseMode, modesOf } from "./modes.js";
import { factsWith, recordedFacts, recordedNames } from "./testing/recorded-facts.js";
import type { Facts } from "./facts.js";

function missingFor(facts: Facts): string[] {
  const full = modesOf(facts).find(({ mode }) => mode === "full");
  return (full?.missing ?? []).map(({ need }) => need);
}

const unprivileged = recordedFacts("unprivileged");

describe("modesOf", () => {
  const withNode = recordedNames().filter((name) => name !== "unprivileged");

  it.each(withNode)("allows a node in %s", (sandbox) => {
    expect(modesOf(recordedFacts(sandbox))).toEqual([
      { mode: "full", allowed: true, missing: [] },
      { mode: "control-plane", allowed: true, missing: [] },
    ]);
  });

  it.each(["CAP_SYS_ADMIN", "CAP_NET_ADMIN"])("does not take root without %s", (capability) => {
    const { capabilities } = recordedFacts("full-kernel").system;
    const others = capabilities.filter((name) => name !== capability);
    expect(missingFor(factsWith({}, { capabilities: others }))).toEqual([capability]);
  });

  it("names privileges only, as the rest follows from them", () => {
    expect(missingFor(unprivileged)).toEqual(["root", "CAP_SYS_ADMIN", "CAP_NET_ADMIN"]);
  });

  it.each([
    "namespace.mount",
    "namespace.pid",
    "namespace.network",
    "mount.tmpfs",
    "mount.bind",
    "mount.proc",
    "mount.bind-over-proc-sys",
    "network.bridge",
    "network.veth",
    "network.bridge-port",
    "network.veth-into-namespace",
  ] as const)("needs %s for a node", (id) => {
    const report = modesOf(factsWith({ [id]: { state: "timeout" } }));
    expect(report.find(({ mode }) => mode === "full")).toMatchObject({
      allowed: false,
      missing: [{ kind: "sandbox", evidence: expect.stringContaining(`${id}: timeout`) }],
    });
    expect(report.find(({ mode }) => mode === "control-plane")).toMatchObject({ allowed: true });
  });

  it.each([
    ["cgroup2 mounted", "v2", "", true],
    ["all controllers mounted", "cpu,cpuacct,cpuset,devices,memory,pids", "", true],
    ["all controllers mountable", "none", "cpu,cpuacct,cpuset,devices,memory,pids", true],
    ["some mounted, all mountable", "cpu", "cpu,cpuacct,cpuset,devices,memory,pids", true],
    ["some mounted, some mountable", "cpu", "cpu,memory", false],
    ["nothing", "none", "", false],
  ])("needs cgroups: %s", (_name, mounted, mountable, allowed) => {
    const facts = factsWith({
      "cgroup.mounted": { value: mounted },
      "cgroup.v1-mountable": { value: mountable },
    });
    expect(missingFor(facts)).toHaveLength(allowed ? 0 : 1);
  });
});

describe("chooseMode", () => {
  const noVeth = factsWith({ "network.veth": { state: "no", errno: "EOPNOTSUPP" } });

  it.each([
    ["auto", recordedFacts("g24"), "full"],
    ["full", recordedFacts("g24"), "full"],
    ["control-plane", recordedFacts("g24"), "control-plane"],
    ["auto", unprivileged, "control-plane"],
    ["control-plane", unprivileged, "control-plane"],
    ["auto", noVeth, "control-plane"],
  ] as const)("%s", (asked, facts, mode) => {
    expect(chooseMode(asked, facts)).toBe(mode);
  });

  it.each([
    ["E_PRIVILEGE", unprivileged, "root (uid 1000)"],
    ["E_SANDBOX", noVeth, "network.veth: no, EOPNOTSUPP"],
  ])("refuses a node with %s, says why and offers the control plane", (code, facts, why) => {
    expect(() => chooseMode("full", facts)).toThrow(
      expect.objectContaining({
        code,
        message: expect.stringContaining(why),
        hint: expect.stringContaining("--control-plane"),
      }),
    );
  });
});
